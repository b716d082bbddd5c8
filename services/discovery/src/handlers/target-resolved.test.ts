// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import { type ContextOf, contextUncaptured, targetResolved } from './target-resolved.ts';

const data = TargetResolvedV1.shape.parse(TargetResolvedV1.example);
const message = { data, tenant: 'default', acquisitionId: 'a' } as unknown as Parameters<
  typeof targetResolved
>[0];
const { signal } = new AbortController();

test('the context of the pod that was found is captured, by its uid', async () => {
  const captured = ContextCapturedV1.shape.parse(ContextCapturedV1.example);
  const asked: ContextOf[] = [];
  const context = {
    capture: async (of: ContextOf) => {
      asked.push(of);
      return captured;
    },
  };
  const said = await targetResolved(message, { context }, signal);
  assert.deepEqual(said, { contract: ContextCapturedV1, data: captured });
  const { caseId, target, container } = data;
  const of = { tenant: 'default', acquisitionId: 'a', caseId, target, podUid: container.podUid };
  assert.deepEqual(asked, [of]);
});

test('where the chain has ended nothing is said, and any other fault is told', async () => {
  const failing = (fault: Error) => ({ context: { capture: () => Promise.reject(fault) } });
  const ended = new Never('acquisition-ended', 'it takes no more');
  assert.equal(await targetResolved(message, failing(ended), signal), undefined);
  for (const fault of [new Later('context-not-stored', 1, 'away'), new Never('forbidden', 'no')]) {
    await assert.rejects(targetResolved(message, failing(fault), signal), fault);
  }
});

test('a context that cannot be stored is a gap on record', () => {
  const said = contextUncaptured(message, { code: 'store-full', because: 'x'.repeat(600) });
  const { objects, gaps } = ContextCapturedV1.shape.parse(said.data);
  assert.deepEqual(objects, []);
  assert.match(gaps.join(), /^all of it, store-full: x{480}/);
});
