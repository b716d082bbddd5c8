// SPDX-License-Identifier: Apache-2.0
import { glob } from 'node:fs/promises';
import type { Entry } from '@impound/contracts/entry.ts';
import { LEASE_MS } from '@impound/contracts/progress.ts';
import { wait } from '@impound/runtime/wait.ts';
import { processesBeside } from '../../test/end-to-end/processes.ts';
import { judgeBag } from './bags.ts';
import { accountOf, CONTAINER, NAMESPACE } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { inTurns } from './in-turns.ts';
import { type JudgedLog, judgeLog, type Row } from './judge-log.ts';
import { judgeStrays } from './judge-strays.ts';
import { type JudgedTouches, judgeTouches, type Touch } from './judge-touches.ts';
import type { Member } from './member.ts';

/** What is true after a drill. Everything was as promised where `findings` is empty. */
export interface Audit {
  readonly ends: JudgedLog['ends'];
  readonly entries: number;
  readonly touches: number;
  readonly late: JudgedTouches['late'];
  readonly bags: number;
  /** Objects in the store that no entry names, for their try was interrupted and made again. */
  readonly strays: readonly string[];
  readonly findings: readonly string[];
}

/** What a dead executor left ends by itself, and so does what it was uploading: after a lease. */
const SETTLED_MS_MAX = LEASE_MS + 20_000;
const LOOK_MS = 250;
/** Each waits for a checkpoint over its own export, of which there is one a second. */
const BAGS_AT_ONCE = 6;

/** Waits until every accepted request has ended, and then looks at everything there is. */
export async function audit(fleet: Fleet, signal: AbortSignal): Promise<Audit> {
  await Promise.all([...fleet.accepted].map((id) => fleet.tap.ended(id, signal)));
  await fleet.ready();
  const { chains } = judgeLog(await rowsOf(fleet), fleet.accepted);
  const sealed = [...chains].filter(([, chain]) => isSealed(chain)).map(([id]) => id);
  const bags: string[] = [];
  await inTurns(sealed, BAGS_AT_ONCE, async (id) => {
    bags.push(...(await judgeBag(fleet, id, signal)));
  });
  const left = await settled(() => leftOf(fleet));
  const rows = await rowsOf(fleet);
  const log = judgeLog(rows, fleet.accepted);
  const touched = judgeTouches(log.chains.values(), touchesOf(fleet));
  const strays = judgeStrays(log.chains, await keysOf(fleet));
  return {
    ends: log.ends,
    entries: rows.length,
    touches: touched.touches,
    late: touched.late,
    // Of each that does not verify there is one finding.
    bags: sealed.length - bags.length,
    strays: strays.left,
    findings: [
      ...[log, touched, strays].flatMap(({ findings }) => findings),
      ...[...bags, ...left],
    ],
  };
}

/** The log alone, where there are too many acquisitions to export each. */
export async function judgeWhole(
  fleet: Pick<Fleet, 'sql'>,
  accepted: ReadonlySet<string>,
): Promise<JudgedLog> {
  return judgeLog(await rowsOf(fleet), accepted);
}

function isSealed(chain: readonly Entry[]): boolean {
  return chain.some(({ event }) => event.type === 'acquisition.sealed.v1');
}

async function rowsOf({ sql }: Pick<Fleet, 'sql'>): Promise<Row[]> {
  const rows = await sql`
    select idx, encode(leaf, 'hex') as leaf, entry from ledger_entry order by idx`;
  return rows.map(({ idx, leaf, entry }) => ({ idx: Number(idx), leaf, entry }));
}

const TOUCH = /\/namespaces\/([^/]+)\/pods\/([^/]+)\/(exec|ephemeralcontainers)(?:\?|$)/;

function touchesOf({ lab, members }: Fleet): Touch[] {
  return lab.audit.flatMap(({ path, account, status, atMs, overMs }) => {
    const [, , pod = '', what = ''] = TOUCH.exec(path) ?? [];
    const refused = status >= 400 || status === 0 || path.includes('dryRun=');
    if (what === '' || refused) return [];
    return [{ pod, what, atMs, overMs, worker: workerOf(members, account, atMs) }];
  });
}

function workerOf(members: readonly Member[], account: string, atMs: number): string | undefined {
  const member = members.find(({ name }) => accountOf(name) === account);
  const life = member?.lives.findLast(({ startedAtMs }) => startedAtMs <= atMs);
  return life?.worker;
}

/** What is left behind once it had time to go; empty as soon as nothing is. */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  const giveUpAtMs = Date.now() + SETTLED_MS_MAX;
  for (;;) {
    const left = await look();
    if (left.length === 0 || Date.now() > giveUpAtMs) return left;
    await wait(LOOK_MS, new AbortController().signal);
  }
}

async function leftOf({ lab, pods, storeDir }: Fleet): Promise<string[]> {
  const processes = pods.flatMap((pod) => {
    const names = processesBeside(lab.pidOf(NAMESPACE, pod, CONTAINER));
    return names.length === 0 ? [] : [`${pod}: left in the container: ${names.join(', ')}`];
  });
  const uploads = await Array.fromAsync(glob('sessions/*/*/*', { cwd: storeDir }));
  return [...processes, ...uploads.map((path) => `left in the store: ${path}`)];
}

async function keysOf({ storeDir }: Fleet): Promise<string[]> {
  const objects = await Array.fromAsync(glob('objects/*/*/*/*', { cwd: storeDir }));
  return objects.map((path) => path.slice('objects/'.length));
}
