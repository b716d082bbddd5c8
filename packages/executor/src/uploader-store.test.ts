// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type { EvidenceSink } from '@impound/evidence/sink.ts';
import { UploadFault, type UploadFaultCode } from '@impound/evidence/upload-fault.ts';
import { Later, Never } from '@impound/runtime/fault.ts';
import type { House } from '@impound/runtime/service.ts';
import { uploaderStore } from './uploader-store.ts';

const OF = { tenant: 'default', acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01', epoch: 3 };

/** A sink whose questions are answered so, one after the other. */
function asking(answers: readonly (Error | { readonly url: string })[]) {
  const asked: unknown[] = [];
  const ask = async (question: unknown, request: unknown) => {
    assert.equal(question, UploaderOpenV1);
    const answer = answers[asked.push(request) - 1];
    if (answer === undefined || answer instanceof Error) throw answer;
    return answer;
  };
  const house = { worker: 'k8s-1-7f3a', ask } as unknown as House;
  return { asked, sink: uploaderStore(house, { waitMs: 1_000 }).sink(OF) };
}

async function refusal(sink: EvidenceSink, signal = new AbortController().signal) {
  return await sink.object('manifest.jsonl', signal).then(
    () => assert.fail('it was opened'),
    (error: unknown) => error,
  );
}

const FAULTS: Readonly<Record<UploadFaultCode, 'Later' | 'Never'>> = {
  'store-unreachable': 'Later',
  'session-expired': 'Later',
  'digest-mismatch': 'Later',
  'part-conflict': 'Later',
  'store-full': 'Never',
  'part-too-large': 'Never',
  'upload-refused': 'Never',
  'answer-invalid': 'Never',
  'url-refused': 'Never',
};

for (const [code, name] of Object.entries(FAULTS)) {
  test(`${code} of an upload is ${name} to the house, in the same words`, async () => {
    const fault = new UploadFault(code as UploadFaultCode, 'part 1: what to do next', 400);
    const { sink } = asking([fault]);
    const error = await refusal(sink);
    assert.ok(error instanceof (name === 'Later' ? Later : Never));
    assert.deepEqual([error.code, error.message, error.cause], [code, fault.message, fault]);
  });
}

test('a session is asked for in the name of the worker and its epoch', async () => {
  const { sink, asked } = asking([{ url: 'ftp://example.test/' }]);
  const error = await refusal(sink);
  assert.ok(error instanceof Never);
  assert.equal(error.code, 'url-refused');
  const request = UploaderOpenV1.request.parse(asked[0]);
  const { tenant, acquisitionId } = OF;
  const name = 'manifest.jsonl';
  assert.deepEqual(request, { tenant, acquisitionId, set: 'e3', name, worker: 'k8s-1-7f3a' });
});

test('an uploader that restarts is asked again, one that refuses is not', async () => {
  const away = new Later('no-answer', 0, 'nobody answered');
  const refused = new Never('epoch-not-live', 'epoch 3 is over');
  const { sink, asked } = asking([away, refused]);
  assert.equal(await refusal(sink), refused);
  assert.equal(asked.length, 2);
});

test('an aborted job asks no more', async () => {
  const away = new Later('no-answer', 0, 'nobody answered');
  const { sink, asked } = asking(Array(100).fill(away));
  const reason = new Error('cancelled');
  assert.equal(await refusal(sink, AbortSignal.abort(reason)), reason);
  assert.equal(asked.length, 1);
});

test('what is no fault of an upload goes through as it is', async () => {
  const bug = new TypeError('a bug');
  const { sink } = asking([bug]);
  assert.equal(await refusal(sink), bug);
});
