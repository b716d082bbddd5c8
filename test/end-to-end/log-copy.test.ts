// SPDX-License-Identifier: Apache-2.0
// An auditor copies the log over HTTP, as C2SP tlog-tiles lays it out, and makes its root from the
// bytes of the entries.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash, rootOfHashes } from '@impound/transparency/hash.ts';
import { entriesIn, entriesPath, tilePath, tileWith } from '@impound/transparency/tile.ts';
import { hashesIn } from '@impound/transparency/tree.ts';
import { ask, stageFor, until } from './platform.ts';

const AUDITOR = 'token-of-the-auditor-0000';
const INSPECTOR = 'token-of-the-inspector-00';
const SIEM = 'token-of-the-siem-00000000';
const STRANGER = 'token-of-another-tenant-0';
const LOOK_MS = 100;
const entry = (token: string, id: string, more: object) => ({
  ...{ id, kind: 'person', tenant: 'default', clusters: ['*'], namespaces: ['*'] },
  credentials: [
    { kind: 'token', id: 'key-1', sha256: createHash('sha256').update(token).digest('hex') },
  ],
  approval: 'never',
  ...more,
});
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: [] }] },
  integrations: [
    entry(AUDITOR, 'auditor', { mayAudit: true }),
    entry(INSPECTOR, 'inspector', { mayAudit: true, mayAuditAllTenants: true }),
    entry(SIEM, 'siem', {}),
    entry(STRANGER, 'stranger', { tenant: 'elsewhere' }),
  ],
});

/** Orders for pods that are not there: three entries each, at least. */
async function filled(token: string, count: number): Promise<void> {
  const client = stage.clientOf(token);
  for (let n = 0; n < count; n++) {
    const id = await ask(client, { place: `shop/none-${n}/x` });
    if (n === count - 1) await until(client, id, ({ status }) => status === 'failed');
  }
}

async function got(path: string, token: string): Promise<Response> {
  return await fetch(`${stage.platform.url}/${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
}

async function bytes(path: string): Promise<Buffer> {
  const answer = await got(path, AUDITOR);
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** The newest checkpoint, once it is over so many entries: it is signed a little later. */
async function checkpoint(sizeMin: number) {
  for (;;) {
    const note = (await bytes('checkpoint')).toString();
    const { size, root } = parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1));
    if (size >= sizeMin) return { size: Number(size), root };
    await delay(LOOK_MS);
  }
}

test('an auditor makes the root of the log from entries, and each bundle is on record', async () => {
  await filled(SIEM, 100);
  const { size, root } = await checkpoint(257);
  const leaves: Buffer[] = [];
  for (let at = 0; at < size; at += 256) {
    const tile = tileWith(size, 0, at);
    const entries = entriesIn(await bytes(entriesPath(tile)));
    const hashes = entries.map((one) => leafHash(one));
    assert.deepEqual(hashes, hashesIn(await bytes(tilePath(tile))));
    leaves.push(...hashes);
  }
  assert.deepEqual(rootOfHashes(leaves), root);
  const read = await got('v1/audit?type=audit.read.v1&purpose=who+read', AUDITOR);
  const { entries } = (await read.json()) as { entries: { entry: string }[] };
  const purposes = entries.map(({ entry: text }) => JSON.parse(text).event.data.purpose);
  assert.deepEqual(new Set(purposes), new Set(['a copy of the log']));
  assert.equal(purposes.length, Math.ceil(size / 256));
});

test('nobody else is given a bundle, and of others only who may audit all tenants', async () => {
  const path = 'tile/entries/000.p/3';
  assert.equal((await fetch(`${stage.platform.url}/${path}`)).status, 401);
  assert.equal((await got(path, SIEM)).status, 403);
  assert.equal((await got('tile/entries/x999/999', AUDITOR)).status, 404);
  assert.equal((await got('tile/entries/0', AUDITOR)).status, 404);
  await filled(STRANGER, 1);
  const answer = await got('v1/audit?limit=1&purpose=length', AUDITOR);
  assert.equal(answer.status, 200);
  const { size } = await checkpoint(((await answer.json()) as { size: number }).size);
  const refused: string[] = [];
  for (let at = 0; at < size; at += 256) {
    const tile = tileWith(size, 0, at);
    const held = await got(entriesPath(tile), AUDITOR);
    if (held.status === 403) refused.push(await held.text());
    const given = await got(entriesPath(tile), INSPECTOR);
    assert.equal(given.status, 200);
    const hashes = entriesIn(Buffer.from(await given.arrayBuffer())).map((one) => leafHash(one));
    assert.deepEqual(hashes, hashesIn(await bytes(tilePath(tile))));
  }
  assert.match(refused[0] ?? '', /entry \d+ belongs to another tenant; a bundle is given whole/);
  const read = await got('v1/audit?type=audit.read.v1&actor=inspector&purpose=record', INSPECTOR);
  const { entries } = (await read.json()) as { entries: { entry: string }[] };
  assert.equal(JSON.parse(entries[0]?.entry ?? '').event.data.allTenants, true);
});
