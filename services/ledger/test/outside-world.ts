// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { start } from '@impound/runtime/start.ts';
import { headSigners, newLogKeys, readLogKeys } from '@impound/transparency/log-keys.ts';
import { formatVkey, parseVkey } from '@impound/transparency/vkey.ts';
import { initWitness } from '@impound/witness/init.ts';
import { openWitness } from '@impound/witness/witness.ts';
import { TRIGGERS } from '../src/domain/guards.ts';
import { ledger } from '../src/service.ts';
import { keptLog, requested, type World } from './world.ts';

/** The keys of a log, and the one by which its checkpoints are verified. */
export const SECRET = newLogKeys('ledger.test/log');
export const LOG = headSigners(readLogKeys(SECRET)).own.vkey;

/** A folder that goes with the test. */
export async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-outside-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A witness of our own, and the policy that names it. */
export async function witnessOf(t: TestContext, name = 'witness.test/1') {
  const folder = await folderOf(t);
  const vkey = parseVkey(await initWitness(folder, name));
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const config = {
    WITNESS_NAME: name,
    WITNESS_KEY: new Secret(await readFile(join(folder, 'key.pem'), 'utf8')),
    LOGS: formatVkey(LOG),
    STATE_FILE: join(folder, 'state.json'),
    ...{ HOST: '127.0.0.1', PORT: 0, HEALTH_PORT: 0, LOG_LEVEL: 'silent' as const },
  };
  const { port } = await openWitness(config, openLog('witness', 'silent'), scope);
  const line = `${formatVkey(vkey)} http://127.0.0.1:${port}`;
  const stop = () => scope.disposeAsync();
  return { vkey, line, stop, policy: `witness w ${line}\nquorum w\n` };
}

/** Begins so many acquisitions at once. */
export async function begin(it: World, count: number): Promise<void> {
  const say = () => it.say(AcquisitionRequestedV1, newId(), requested);
  const replies = await Promise.all(Array.from({ length: count }, say));
  assert.ok(replies.every(({ ok }) => ok));
}

/** A ledger with settings of its own, which ends with the test. */
export function startWith(
  t: TestContext,
  it: World,
  more: Record<string, string>,
  log = keptLog(),
) {
  const running = start(ledger, { ...it.environment(), ...more }, log);
  t.after(async () => (await running.catch(() => undefined))?.[Symbol.asyncDispose]());
  return running;
}

/** What is left of a database where its newest leaves are gone without a trace. */
export async function cutOff(t: TestContext, it: World, size: number): Promise<void> {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const url = it.database.server.url(it.database.name);
  const sql = openDatabase(new Secret(url), { connectionsMax: 1, name: 'attacker' }, scope);
  const triggers = (how: string) =>
    TRIGGERS.map((name) => {
      const table = name.replace(/_no_(change|truncate)$/, '');
      return `alter table ${table} ${how} trigger ${name};`;
    }).join('');
  await sql.unsafe(`${triggers('disable')}
    delete from ledger_cosignature where size > ${size};
    delete from ledger_anchor where size > ${size};
    delete from ledger_checkpoint where size > ${size};
    delete from ledger_batch where size_after > ${size};
    delete from ledger_entry where idx >= ${size};
    delete from ledger_tile where (n + 1) * 256 > ${size};
    ${triggers('enable always')}`);
}
