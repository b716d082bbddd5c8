// SPDX-License-Identifier: Apache-2.0
import { test } from 'node:test';
import { hasProgram, RADOS_PROGRAMS, radosServer } from '@impound/bucket/testing/store-servers.ts';
import { STORE_RIGHTS } from '@impound/contracts/store-permissions.ts';
import { cloudConformance } from './cloud-store.conformance.ts';
import { storeConformance } from './evidence-store.conformance.ts';
import { S3_KEY, S3_NEEDS, s3Subject } from './s3-subject.ts';

const NAME = 'S3 (radosgw)';

if (RADOS_PROGRAMS.every(hasProgram)) {
  storeConformance(
    NAME,
    async (scope) =>
      await s3Subject(await radosServer(S3_KEY, scope), scope, { checksums: false, by: 'etag' }),
    cloudConformance(NAME, {
      verifiesSignatures: true,
      strangersKey: 'AKIASTRANGER:secret',
      rights: STORE_RIGHTS.s3,
      needs: S3_NEEDS,
    }),
  );
} else {
  const skip = 'radosgw is not installed: apt-get install radosgw ceph-mon ceph-osd ceph-common';
  test(NAME, { skip }, () => {});
}
