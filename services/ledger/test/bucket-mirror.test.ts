// SPDX-License-Identifier: Apache-2.0
// A mirror in a bucket, on servers that nobody here wrote. Where one is missing, the test says so.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  hasProgram,
  motoServer,
  RADOS_PROGRAMS,
  radosServer,
} from '@impound/bucket/testing/store-servers.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { mirroredLog } from '../src/adapters/mirror-fsck.ts';
import { openMirror } from '../src/adapters/open-mirror.ts';
import { config } from '../src/config.ts';
import { fsck } from '../src/handlers/fsck.ts';
import { begin, cutOff, LOG, SECRET, startWith } from './outside-world.ts';
import { keptLog, world } from './world.ts';

const KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' };
const Bucket = 'mirror';
const PREFIX = 'log/';

/** A bucket, and the settings that name it to a ledger. */
async function bucketOf(t: TestContext, server: (scope: AsyncDisposableStack) => Promise<string>) {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const endpoint = await server(scope);
  const client = new S3Client({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId: KEY.id, secretAccessKey: KEY.secret },
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  scope.defer(() => client.destroy());
  await client.send(new CreateBucketCommand({ Bucket }));
  const environment = {
    MIRROR_URL: `s3://${Bucket}/${PREFIX}?endpoint=${endpoint}`,
    MIRROR_KEY: `${KEY.id}:${KEY.secret}`,
  };
  const { MIRROR_URL, MIRROR_KEY } = config
    .pick({ MIRROR_URL: true, MIRROR_KEY: true })
    .parse(environment);
  assert.ok(MIRROR_URL);
  const store = await openMirror(MIRROR_URL, MIRROR_KEY, scope);
  const look = async () => {
    const outside = { keys: [LOG], known: [] };
    return await fsck(await mirroredLog(store, t.signal), outside, () => undefined, t.signal);
  };
  const sizeOf = async () => {
    const bytes = await store.read('checkpoint', t.signal);
    return bytes === undefined ? 0n : openCheckpoint(bytes, [LOG]).size;
  };
  return { client, environment, store, look, sizeOf };
}

async function scenario(t: TestContext, server: (scope: AsyncDisposableStack) => Promise<string>) {
  const it = await world(t, { keys: SECRET });
  const { client, environment, store, look, sizeOf } = await bucketOf(t, server);
  const log = keptLog();
  const running = await startWith(t, it, environment, log);
  await begin(it, 2);
  await until(async () => (await sizeOf()) >= 3n);
  await begin(it, 300);
  await until(async () => (await sizeOf()) === 303n);
  await running[Symbol.asyncDispose]();
  assert.ok(!JSON.stringify(log.lines).includes(KEY.secret));

  const good = await look();
  assert.deepEqual([good.findings, good.entries, good.signed], [[], 303, 1]);
  const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key: PREFIX + Key }));
  const checkpoint = await head('checkpoint');
  assert.match(checkpoint.ContentType ?? '', /^text\/plain/);
  assert.equal(checkpoint.CacheControl, 'no-cache');
  for (const tile of ['tile/0/000', 'tile/entries/000', 'tile/0/001.p/47', 'tile/1/000.p/1']) {
    const found = await head(tile);
    assert.deepEqual(
      [found.ContentType, found.CacheControl],
      ['application/octet-stream', 'public, max-age=31536000, immutable'],
      tile,
    );
  }
  assert.equal(await store.add('tile/0/000', Buffer.from('other'), t.signal), false);
  const kept = await client.send(new GetObjectCommand({ Bucket, Key: `${PREFIX}tile/0/000` }));
  assert.equal((await kept.Body?.transformToByteArray())?.length, 8_192);

  await cutOff(t, it, 3);
  const restored = await world(t, { database: it.database, migrated: false, keys: SECRET });
  await assert.rejects(
    startWith(t, restored, environment),
    /mirror s3:\/\/mirror\/log\/ knows 303 leaves/,
  );

  const Key = `${PREFIX}tile/entries/000`;
  const bytes = await store.read('tile/entries/000', t.signal);
  const other = bytes?.toString('latin1').replace('"salt":"', '"sait":"') ?? '';
  await client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(other, 'latin1') }));
  const [first] = (await look()).findings;
  assert.deepEqual([first?.class, first?.idx], ['entry', 0]);
}

const moto = {
  skip: hasProgram('moto_server') ? false : 'moto_server is not installed: pip install moto',
};
test('a mirror in a bucket of moto holds the log, once and for ever, and remembers', moto, (t) =>
  scenario(t, motoServer),
);

const missing = RADOS_PROGRAMS.filter((name) => !hasProgram(name));
const rados = { skip: missing.length > 0 ? `not installed: ${missing.join(', ')}` : false };
test(
  'a mirror in a bucket of radosgw holds the log, once and for ever, and remembers',
  rados,
  (t) => scenario(t, (scope) => radosServer(KEY, scope)),
);

test('a bucket that is away, or a key that is none, holds up nothing that is said', async (t) => {
  const it = await world(t, { keys: SECRET });
  const log = keptLog();
  const away = {
    MIRROR_URL: 's3://mirror/log/?endpoint=http://127.0.0.1:9',
    MIRROR_KEY: `${KEY.id}:${KEY.secret}`,
  };
  await startWith(t, it, away, log);
  await begin(it, 20);
  await until(() => log.lines.some(({ phrase }) => phrase === 'not mirrored'));
  await begin(it, 20);
  const told = JSON.stringify(log.lines);
  assert.match(told, /mirror s3:\/\/mirror\/log\/: checkpoint: ECONNREFUSED/);
  assert.ok(!told.includes(KEY.secret));
  const other = await world(t, { keys: SECRET });
  const bad = startWith(t, other, { ...away, MIRROR_KEY: 'only-one-word' });
  await assert.rejects(bad, /MIRROR_KEY for S3 is ACCESS_KEY_ID:SECRET_ACCESS_KEY/);
  const inUrl = startWith(t, other, { MIRROR_URL: 's3://key:secret@mirror/log/' });
  await assert.rejects(inUrl, /credentials go into MIRROR_KEY/);
});
