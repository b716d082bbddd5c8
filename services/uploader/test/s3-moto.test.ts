// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { hasProgram, motoServer } from '@impound/bucket/testing/store-servers.ts';
import { STORE_RIGHTS } from '@impound/contracts/store-permissions.ts';
import { cloudConformance } from './cloud-store.conformance.ts';
import { storeConformance } from './evidence-store.conformance.ts';
import { S3_NEEDS, s3Subject } from './s3-subject.ts';

const NAME = 'S3 (moto)';

if (hasProgram('moto_server')) {
  storeConformance(
    NAME,
    async (scope) =>
      await s3Subject(await motoServer(scope), scope, { checksums: true, by: 'sha256' }),
    cloudConformance(NAME, {
      verifiesSignatures: false,
      strangersKey: undefined,
      rights: STORE_RIGHTS.s3,
      needs: S3_NEEDS,
    }),
  );
} else {
  test(NAME, { skip: 'moto_server is not installed: pip install "moto[server]"' }, () => {});
}
