// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fold } from '../src/chain.ts';
import { Entry } from '../src/entry.ts';
import { waitsForExecutor } from '../src/waiting.ts';

function chainOf(name: string): readonly Entry[] {
  const file = new URL(`../fixtures/0.1.0/chains/${name}.json`, import.meta.url);
  const { entries } = JSON.parse(readFileSync(file, 'utf8')) as { entries: readonly string[] };
  return entries.map((text) => Entry.parse(JSON.parse(text)));
}

const upTo = (chain: readonly Entry[], type: string) =>
  fold(chain.slice(0, chain.findIndex(({ event }) => event.type === type) + 1));

test('an acquisition waits for its executor from the assignment to the claim, and no longer', () => {
  const sealed = chainOf('sealed');
  const assigned = upTo(sealed, 'acquisition.assigned.v1');
  const since = assigned.executions[0]?.assignedAt;
  const words = `no executor-kubernetes has answered since ${since}: `;
  assert.ok(waitsForExecutor(assigned)?.startsWith(words));
  const [first] = assigned.executions;
  assert.ok(first);
  const again = { ...first, assignedAt: 'later' };
  const twice = { ...assigned, executions: [{ ...first, lapsed: {} as never }, again] };
  assert.ok(waitsForExecutor(twice)?.startsWith(words), 'since it was given for the first time');
  for (const type of ['execution.started.v1', 'evidence.captured.v1', 'acquisition.sealed.v1']) {
    assert.equal(waitsForExecutor(upTo(sealed, type)), undefined, type);
  }
});
