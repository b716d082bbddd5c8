// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { artifacts, eventList } from '../generate/artifacts.ts';
import { events, questions } from '../generate/contracts.ts';
import { PARTIES } from '../src/parties.ts';

const said = await events();
const asked = await questions();

test('there are events and questions', () => {
  assert.ok(said.length >= 15, String(said.length));
  assert.ok(asked.length >= 6, String(asked.length));
});

for (const { file, contract, others } of said) {
  const type = file.slice(0, -'.ts'.length).replaceAll('/', '.');
  test(`${type}: one file, one contract, one name`, () => {
    assert.equal(others, 0);
    assert.equal(contract.type, type);
  });
  test(`${type}: the specimen fits the shape and has a route of one token`, () => {
    const data = contract.shape.parse(contract.example);
    assert.match(contract.route(data), /^[a-z0-9_-]+$/);
  });
  test(`${type}: unknown fields are ignored, for a later version may add some`, () => {
    assert.ok(contract.shape.safeParse({ ...(contract.example as object), addedLater: 1 }).success);
  });
}

for (const { file, contract, others } of asked) {
  test(`${contract.name}: one file, one question, and its specimens fit`, () => {
    assert.equal(others, 0);
    assert.equal(`ask/${contract.name}.ts`, file);
    contract.request.parse(contract.example.request);
    contract.reply.parse(contract.example.reply);
  });
}

test('what services say, hear, ask and answer exists, and one service answers each question', () => {
  const types = new Set(said.map(({ contract }) => contract.type));
  const names = new Set(asked.map(({ contract }) => contract.name));
  for (const party of Object.values(PARTIES)) {
    for (const type of [...party.says, ...party.hears]) assert.ok(types.has(type), type);
    for (const name of [...party.asks, ...party.answers]) assert.ok(names.has(name), name);
  }
  const answers = Object.values(PARTIES).flatMap((party) => party.answers);
  assert.deepEqual(answers.toSorted(), [...names].toSorted());
});

test('the published schemas are what the contracts say, byte by byte', async () => {
  const directory = new URL('../schemas/', import.meta.url);
  const generated = await artifacts();
  const committed = readdirSync(directory);
  assert.deepEqual(committed.toSorted(), [...generated.keys()].toSorted());
  for (const [name, text] of generated) {
    assert.equal(readFileSync(new URL(name, directory), 'utf8'), text, `${name}: npm run generate`);
  }
});

test('the list of all events is what their files say', async () => {
  const committed = readFileSync(new URL('../src/events.ts', import.meta.url), 'utf8');
  assert.equal(committed, await eventList(), 'npm run generate');
});
