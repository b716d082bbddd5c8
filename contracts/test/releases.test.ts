// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { incompatibilities, type Rule, type Schema } from '../generate/compatibility.ts';
import { type FrozenChain, type FrozenKind, frozen } from '../generate/freeze.ts';
import { messageKinds } from '../generate/messages.ts';
import { judgeFrozenChain, judgeKind } from './judge-release.ts';

const root = new URL('../fixtures/', import.meta.url);
const today = new Map(
  [...(await frozen())].map(([file, text]) => [file, JSON.parse(text) as unknown]),
);
const kinds = new Map((await messageKinds()).map((kind) => [kind.name, kind]));

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, root), 'utf8'));
}

function judgeMessage(file: string, old: FrozenKind): string[] {
  const name = basename(file, '.json');
  const now = today.get(`messages/${name}.json`) as FrozenKind | undefined;
  return judgeKind(name, old, now, kinds.get(name));
}

const releases = existsSync(root) ? globSync('*', { cwd: root }).toSorted() : [];
for (const release of releases) {
  const files = globSync(`${release}/messages/*.json`, { cwd: root }).toSorted();
  test(`processes of ${release} and of today understand each other, message by message`, () => {
    assert.ok(files.length > 40, `only ${files.length} kinds of messages are frozen`);
    assert.deepEqual(
      files.flatMap((file) => judgeMessage(file, read(file))),
      [],
    );
  });
  test(`chains of ${release} tell of the same acquisitions today`, () => {
    const chains = globSync(`${release}/chains/*.json`, { cwd: root });
    assert.ok(chains.length > 5);
    const found = chains.flatMap((file) =>
      judgeFrozenChain(basename(file, '.json'), read<FrozenChain>(file)),
    );
    assert.deepEqual(found, []);
  });
}

test('what is frozen today is understood today, and each event comes in more than one form', () => {
  for (const [file, value] of today) {
    const isChain = file.startsWith('chains/');
    const found = isChain
      ? judgeFrozenChain(file, value as FrozenChain)
      : judgeMessage(file, value as FrozenKind);
    assert.deepEqual(found, [], file);
  }
  const started = today.get('messages/execution.started.v1.json') as FrozenKind;
  assert.ok(started.specimens.length > 1);
});

const object = (properties: Record<string, Schema>, required: string[] = Object.keys(properties)) =>
  ({ type: 'object', properties, required }) satisfies Schema;
const text = { type: 'string', minLength: 1, maxLength: 64 } satisfies Schema;
const words = (...all: string[]): Schema => ({ type: 'string', enum: all });
const open = (...all: string[]): Schema => ({ anyOf: [words(...all), { type: 'string' }] });

const CHANGES: readonly (readonly [string, Schema, Schema, Rule | undefined])[] = [
  ['an optional field more', object({ a: text }), object({ a: text, b: text }, ['a']), undefined],
  ['a field less', object({ a: text, b: text }), object({ a: text }), 'field-removed'],
  ['a renamed field', object({ a: text }), object({ b: text }, []), 'field-removed'],
  ['a required field more', object({ a: text }), object({ a: text, b: text }), 'field-required'],
  [
    'a field that may be left out now',
    object({ a: text }),
    object({ a: text }, []),
    'field-optional',
  ],
  ['a field that is needed now', object({ a: text }, []), object({ a: text }), 'field-required'],
  ['another type', object({ a: text }), object({ a: { type: 'integer' } }), 'type-changed'],
  ['a tighter limit', text, { ...text, maxLength: 32 }, 'limit-narrowed'],
  ['a limit where none was', { type: 'string' }, text, 'limit-narrowed'],
  ['a wider limit', text, { ...text, maxLength: 128 }, 'limit-widened'],
  ['another pattern', { ...text, pattern: '^a' }, { ...text, pattern: '^b' }, 'form-changed'],
  ['a word more in a closed list', words('a', 'b'), words('a', 'b', 'c'), 'word-added'],
  ['a word less', words('a', 'b'), words('a'), 'word-removed'],
  ['a word more in an open list', open('a', 'b'), open('a', 'b', 'c'), undefined],
  ['a word less in an open list', open('a', 'b'), open('a'), 'word-removed'],
  ['a variant more', { anyOf: [text] }, { anyOf: [text, { type: 'null' }] }, 'variant-added'],
  ['a variant less', { anyOf: [text, { type: 'null' }] }, { anyOf: [text] }, 'variant-removed'],
  [
    'a change inside of a list',
    { type: 'array', items: object({ a: text }) },
    { type: 'array', items: object({}) },
    'field-removed',
  ],
  [
    'a shape that takes no more unknown fields',
    object({ a: text }),
    { ...object({ a: text }), additionalProperties: false },
    'closed',
  ],
];

for (const [what, old, now, rule] of CHANGES) {
  test(`${what} is ${rule ?? 'no harm'}`, () => {
    const found = incompatibilities(old, now, 'both').map((finding) => finding.rule);
    assert.deepEqual([...new Set(found)], rule === undefined ? [] : [rule]);
  });
}

test('what people write by hand may be given more room', () => {
  const wider = { ...text, maxLength: 128 };
  assert.deepEqual(incompatibilities(text, wider, 'read'), []);
  assert.equal(incompatibilities(wider, text, 'read')[0]?.rule, 'limit-narrowed');
});
