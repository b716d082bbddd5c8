// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { until } from '@impound/runtime/testing/until.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { headSigners, readLogKeys, rotatedLogKeys } from '@impound/transparency/log-keys.ts';
import { fileMirror } from '../src/adapters/file-mirror.ts';
import { mirroredLog } from '../src/adapters/mirror-fsck.ts';
import { fsck } from '../src/handlers/fsck.ts';
import { begin, cutOff, folderOf, LOG, SECRET, startWith, witnessOf } from './outside-world.ts';
import { keptLog, world } from './world.ts';

test('checkpoints are cosigned by a witness, and a log that was cut off is not gone on with', async (t) => {
  const it = await world(t, { keys: SECRET });
  const { vkey, policy } = await witnessOf(t);
  const running = await startWith(t, it, { POLICY: policy });
  const sql = it.sql();
  const witnessed = async (size: number) => {
    await until(async () => {
      const rows = await sql`select from ledger_cosignature where size >= ${size}`;
      return rows.length > 0;
    });
  };
  await begin(it, 3);
  await witnessed(4);
  const [middle] = await sql`select max(size_after) as size from ledger_batch`;
  await begin(it, 300);
  await witnessed(304);
  const [row] = await sql`select c.note || s.line as note, s.witness from ledger_cosignature s
    join ledger_checkpoint c using (size, head) order by c.size desc limit 1`;
  const cosigned = openCheckpoint(Buffer.from(String(row?.['note'])), [LOG, vkey]);
  assert.deepEqual(
    cosigned.verified.map(({ key }) => key.name),
    [LOG.name, 'witness.test/1'],
  );
  await running[Symbol.asyncDispose]();

  await cutOff(t, it, Number(middle?.['size']));
  // The stream would tell as well: without it, only the witness remembers.
  const other = { database: it.database, migrated: false, keys: SECRET };
  const restored = await world(t, other);
  await assert.rejects(
    startWith(t, restored, { POLICY: policy }),
    /witness\.test\/1 knows 304 leaves of this log, the database holds 4/,
  );
});

test('a mirror holds what the database does, can be checked alone, and remembers', async (t) => {
  const it = await world(t, { keys: SECRET });
  const folder = await folderOf(t);
  const environment = { MIRROR_URL: pathToFileURL(folder).href };
  const running = await startWith(t, it, environment);
  await begin(it, 2);
  const sizeOf = async () => {
    const bytes = await readFile(join(folder, 'checkpoint')).catch(() => undefined);
    return bytes === undefined ? 0n : openCheckpoint(bytes, [LOG]).size;
  };
  await until(async () => (await sizeOf()) >= 3n);
  await begin(it, 400);
  await until(async () => (await sizeOf()) === 403n);
  await running[Symbol.asyncDispose]();
  const outside = { keys: [LOG], known: [] };
  const look = async () =>
    fsck(await mirroredLog(fileMirror(folder), t.signal), outside, () => undefined, t.signal);
  const good = await look();
  assert.deepEqual([good.findings, good.entries, good.signed], [[], 403, 1]);

  await cutOff(t, it, 3);
  const restored = await world(t, { database: it.database, migrated: false, keys: SECRET });
  await assert.rejects(startWith(t, restored, environment), /mirror .* knows 403 leaves/);

  const bundle = join(folder, 'tile/entries/000');
  const bytes = await readFile(bundle);
  await writeFile(
    bundle,
    Buffer.from(bytes.toString('latin1').replace('"salt":"', '"sait":"'), 'latin1'),
  );
  const [first] = (await look()).findings;
  assert.deepEqual([first?.class, first?.idx], ['entry', 0]);
});

test('a mirror goes on, and remembers, when the key of the checkpoints is changed', async (t) => {
  const it = await world(t, { keys: SECRET });
  const folder = await folderOf(t);
  const environment = { MIRROR_URL: pathToFileURL(folder).href };
  const first = await startWith(t, it, environment);
  await begin(it, 2);
  const at = async () => (await readFile(join(folder, 'checkpoint')).catch(() => '')).toString();
  await until(async () => (await at()).includes('\n3\n'));
  await first[Symbol.asyncDispose]();

  const secret = rotatedLogKeys(SECRET, 'checkpoint');
  const changed = await world(t, { ...it, migrated: false, keys: secret });
  const log = keptLog();
  const second = await startWith(t, changed, environment, log);
  await until(async () => (await at()).includes('\n5\n'));
  const phrases = log.lines.map(({ phrase }) => phrase);
  assert.deepEqual(
    phrases.filter((phrase) => ['not mirrored', 'memory outside not asked'].includes(phrase)),
    [],
  );
  const own = headSigners(readLogKeys(secret)).own.vkey;
  assert.equal(openCheckpoint(Buffer.from(await at()), [own]).size, 5n);
  await second[Symbol.asyncDispose]();
});
