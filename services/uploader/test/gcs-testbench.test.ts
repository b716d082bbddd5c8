// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '@impound/runtime/ids.ts';
import { cloudConformance } from './cloud-store.conformance.ts';
import { storeConformance } from './evidence-store.conformance.ts';
import { faultyProxy } from './faulty-proxy.ts';
import { GCS_RIGHTS, gcsEnvironment, gcsName, gcsUrl } from './gcs-subject.ts';

const NAME = "Google Cloud Storage (Google's storage-testbench)";
/** The URL of a running https://github.com/googleapis/storage-testbench, which locks nothing. */
const TESTBENCH = process.env['GCS_TESTBENCH'];

async function post(path: string, body: string | Buffer<ArrayBuffer>): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${TESTBENCH}${path}`, { method: 'POST', body, headers });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
}

if (TESTBENCH === undefined) {
  test(NAME, { skip: 'GCS_TESTBENCH is not the URL of a running storage-testbench' }, () => {});
} else {
  storeConformance(
    NAME,
    async (scope) => {
      const bucket = `impound-${newId()}`;
      await post('/storage/v1/b?project=project', JSON.stringify({ name: bucket }));
      const proxy = await faultyProxy(TESTBENCH, scope);
      return {
        proxy,
        environment: gcsEnvironment(bucket, proxy),
        replace: (key, bytes) => {
          const query = `uploadType=media&name=${encodeURIComponent(gcsName(key))}`;
          return post(`/upload/storage/v1/b/${bucket}/o?${query}`, Buffer.from(bytes));
        },
        nowhere: gcsUrl('nowhere', proxy),
        unlocked: gcsUrl(bucket, proxy),
        keepsVersions: false,
        knowsDigests: true,
        losesSent: true,
        hashesWhole: false,
      };
    },
    (get) => cloudConformance(NAME, { ...GCS_RIGHTS, verifiesSignatures: false })(get),
  );
}
