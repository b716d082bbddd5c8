// SPDX-License-Identifier: Apache-2.0

import {
  hasProgram,
  RADOS_PROGRAMS,
  type Rados,
  radosCluster,
} from '@impound/bucket/testing/store-servers.ts';
import { S3_KEY, s3Subject, unfinishedIn } from '../../services/uploader/test/s3-subject.ts';
import { audit } from '../fleet/audit.ts';
import { podNames } from '../fleet/cluster.ts';
import { openDoor } from '../fleet/door.ts';
import { auditLines, type Stage } from '../fleet/drill.ts';
import { startFleet } from '../fleet/fleet.ts';
import { type Scene, takenAway, type Way } from './taking.ts';

interface BucketScene extends Scene {
  readonly rados: Rados;
}

/** Ways in which a bucket can go and come back, each in the middle of a multipart upload. */
const WAYS: Readonly<Record<string, Way<BucketScene>>> = {
  'the way to the bucket is cut': async ({ door }, away) => {
    door.shut();
    await away();
    door.open();
  },
  'its server is killed, and started again': async ({ rados }, away) => {
    await rados.kill();
    await away();
    await rados.start();
  },
  'its key is revoked, and good again': async ({ rados }, away) => {
    await rados.suspend();
    await away();
    await rados.enable();
  },
};

/** A store in a bucket of a server that nobody here wrote, which executors send parts to. */
export async function bucketStore(stage: Stage): Promise<readonly string[]> {
  if (!RADOS_PROGRAMS.every(hasProgram)) {
    stage.tell('no bucket was taken away: radosgw is not installed');
    return [];
  }
  await using scope = new AsyncDisposableStack();
  const rados = await radosCluster(S3_KEY, scope);
  const { client } = await s3Subject(rados.url, scope, { checksums: false, by: 'etag' });
  const door = scope.use(await openDoor(Number(new URL(rados.url).port)));
  const uploader = {
    STORE_URL: `s3://evidence/drill/?endpoint=http://127.0.0.1:${door.port}`,
    STORE_KEY: `${S3_KEY.id}:${S3_KEY.secret}`,
  };
  const pods = podNames(Object.keys(WAYS).length, 0);
  const fleet = scope.use(await startFleet({ pods, settings: { uploader } }, stage.signal));
  const findings = await takenAway({ fleet, door, rados }, WAYS, stage);
  const audited = await audit(fleet, stage.signal);
  for (const line of auditLines(audited)) stage.tell(line);
  const left = await unfinishedIn(client, 'evidence');
  return [...findings, ...audited.findings, ...left.map((key) => `left in the bucket: ${key}`)];
}
