// SPDX-License-Identifier: Apache-2.0
// impound doctor and what keeps evidence: each way in which a store holds nothing is told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clean, impound } from './command-line.ts';

const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const NONE = 'ObjectLockConfigurationNotFoundError';
const LOCK = '<ObjectLockEnabled>Enabled</ObjectLockEnabled>';
const RULE =
  '<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule>';
const SECRET = 'hunter2hunter2hunter2hunter2hunter2hunt';

/** What a bucket of S3 with versions answers, with this configuration of its lock, if any. */
async function bucket(t: TestContext, lock: string | undefined): Promise<string> {
  const bodies: Readonly<Record<string, readonly [number, string]>> = {
    versioning: [
      200,
      '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
    ],
    'object-lock':
      lock === undefined
        ? [404, `<Error><Code>${NONE}</Code><Message>none</Message></Error>`]
        : [200, `<ObjectLockConfiguration>${lock}</ObjectLockConfiguration>`],
    publicAccessBlock: [404, '<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>'],
  };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://s3');
    const [asked = ''] = [...searchParams.keys()].filter((key) => key in bodies);
    const [status, body] = bodies[asked] ?? [200, ''];
    response.writeHead(status, { 'content-type': 'application/xml' }).end(body && XML + body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `s3://evidence/a/?region=x&endpoint=http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Told {
  readonly check: string;
  readonly verdict: string;
  readonly what: string;
}

/** What doctor says of the lock of a store. */
async function retention(t: TestContext, environment: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-doctor-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = join(folder, 'doctor.env');
  const key = { STORE_KEY: `AKIAEXAMPLE:${SECRET}` };
  const lines = Object.entries({ ...key, ...environment }).map(
    ([name, value]) => `${name}=${value}`,
  );
  await writeFile(env, `${lines.join('\n')}\n`, { mode: 0o600 });
  const done = await impound(['doctor', '--env', env, '--json']);
  clean(done, SECRET);
  const told = done.values as never as Told[];
  const found = told.filter(({ check }) => check === 'store-retention' || check === 'store');
  return found.map(({ check, verdict, what }) => `${verdict} ${check}: ${what}`).join('\n');
}

const COMPLIANCE = { RETENTION_MODE: 'compliance', RETENTION_DAYS: '30' };

test('a bucket that cannot lock is sick where a lock is asked for, and advised against where not', async (t) => {
  const STORE_URL = await bucket(t, undefined);
  const none = /store-retention: bucket evidence has no Object Lock/;
  const asked = await retention(t, { STORE_URL, ...COMPLIANCE });
  assert.match(asked, none);
  assert.match(asked, /^sick store-retention/m);
  const unasked = await retention(t, { STORE_URL, RETENTION_MODE: 'none' });
  assert.match(unasked, none);
  assert.match(unasked, /^advice store-retention/m);
});

test('a bucket that can lock and is not asked to is told of, and is well where it is asked', async (t) => {
  const STORE_URL = await bucket(t, LOCK);
  const unasked = await retention(t, { STORE_URL, RETENTION_MODE: 'none' });
  assert.match(unasked, /^advice store-retention: RETENTION_MODE is none/m);
  const asked = await retention(t, { STORE_URL, ...COMPLIANCE });
  assert.match(asked, /^ok store-retention: evidence is locked for 30 days, mode compliance/m);
  const ruled = await retention(t, {
    STORE_URL: await bucket(t, LOCK + RULE),
    RETENTION_MODE: 'none',
  });
  assert.match(
    ruled,
    /^ok store-retention: the bucket locks what is written by a rule of its own/m,
  );
});

test('a directory is advised against, and sick where it is to lock', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'impound-store-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const STORE_URL = `file://${folder}`;
  const unasked = await retention(t, { STORE_URL, RETENTION_MODE: 'none' });
  assert.match(unasked, /^advice store-retention: the evidence store is the directory/m);
  const asked = await retention(t, { STORE_URL, ...COMPLIANCE });
  assert.match(asked, /^sick store-retention: a directory locks nothing/m);
});

test('of a bucket that is away nothing is called well', async (t) => {
  const STORE_URL = 's3://evidence/a/?region=x&endpoint=http://127.0.0.1:1';
  const told = await retention(t, { STORE_URL, ...COMPLIANCE });
  assert.match(told, /^unknown store: /m);
  assert.match(told, /^unknown store-retention: /m);
  assert.doesNotMatch(told, /^ok /m);
});
