// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Target } from '@impound/contracts/target.ts';
import type { Arguments } from '../arguments.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit, worstOf } from '../exit-code.ts';
import { targetOf, type Wish, wishOf } from '../order.ts';
import { exportBag, type WrittenOut } from './export.ts';
import { type Ending, followToEnd } from './follow.ts';
import { clusterEntryOf, nameCluster, reach } from './reach.ts';
import { lookAt } from './targets.ts';

/**
 * Requests one acquisition (or one per pod of a selector), follows it, and exports it with --out.
 */
export async function acquire(here: Here, signal: AbortSignal): Promise<number> {
  const target = targetOf(here.args);
  const wish = wishOf(here.args);
  const entry = await clusterEntryOf(here);
  await refuseOut(here.args.text('out'));
  await using platform = await reach(here, { role: 'acquire' }, signal);
  await nameCluster(here, target.cluster, entry);
  const client = openClient(platform.access, signal);
  const targets = await expanded(client, target, here);
  const asked: Asked[] = [];
  try {
    // All are asked for before the first is followed: evidence goes away while one waits.
    for (const uri of targets) asked.push(await ask({ here, client, wish }, uri));
    const codes: number[] = [];
    for (const [index, one] of asked.entries()) {
      const out = outOf(here, asked.length > 1 ? index + 1 : undefined);
      codes.push(await settle({ here, client, wish, out }, one, signal));
    }
    return worstOf(codes);
  } catch (error) {
    if (signal.aborted) tellInterrupted(here, asked, platform.ours);
    throw error;
  }
}

/** A bag is never written over; that is said before the target is touched. */
async function refuseOut(out: string | undefined): Promise<void> {
  if (out === undefined) return;
  if ((await stat(out).catch(() => undefined)) !== undefined) {
    throw new Exit(EXIT.usage, `--out ${out} exists: name a new directory`);
  }
  if ((await stat(dirname(out)).catch(() => undefined))?.isDirectory() !== true) {
    throw new Exit(EXIT.usage, `--out ${out}: there is no directory ${dirname(out)}`);
  }
}

function outOf({ args }: Here, number: number | undefined): string | undefined {
  const out = args.text('out')?.replace(/\/+$/, '');
  return out === undefined || number === undefined ? out : `${out}-${number}`;
}

/** A selector stands for every running container that fits it: one acquisition each. */
async function expanded(client: Client, target: Target, here: Here): Promise<readonly string[]> {
  if (target.selector === undefined) return [here.args.positionals[0] ?? ''];
  const { selector, container } = target;
  const { items, gaps } = await lookAt(client, target);
  for (const gap of gaps) here.printer.doing(gap);
  const fitting = items.filter(
    ({ name }) => container === undefined || name.endsWith(`/${container}`),
  );
  const running = fitting.filter(({ state }) => state === 'running');
  for (const { name, state } of running.length > 0 ? fitting : []) {
    if (state !== 'running') here.printer.doing(`left out: ${name}, which is ${state}`);
  }
  const chosen = running.length > 0 ? running : fitting;
  const uris = chosen.flatMap(({ target: uri }) => (uri === undefined ? [] : [uri]));
  if (uris.length === 0) throw new Exit(EXIT.failed, `no container fits ${selector}`);
  return uris;
}

const KEY_DIGITS = 16;

interface Asked {
  readonly uri: string;
  readonly acquisitionId?: string;
  readonly refused?: Exit;
}

interface Asking {
  readonly here: Here;
  readonly client: Client;
  readonly wish: Wish;
}

/** What is refused for one of several targets does not keep the others from being acquired. */
async function ask({ here, client, wish }: Asking, uri: string): Promise<Asked> {
  const order = { ...wish, target: uri };
  try {
    const { acquisitionId } = await client.post('/v1/acquisitions', order, {
      'idempotency-key': keyOf(here.args, uri),
    });
    here.printer.value('accepted', { acquisitionId, target: uri });
    here.printer.line(`acquisition ${acquisitionId} of ${uri}`);
    return { uri, acquisitionId };
  } catch (error) {
    if (!(error instanceof Exit) || error.code === EXIT.stopped) throw error;
    return { uri, refused: error };
  }
}

/** The key of the command line, with the target where a selector stands for several. */
function keyOf({ text, positionals }: Arguments, uri: string): string {
  const key = text('idempotency-key');
  if (key === undefined) return randomUUID();
  if (uri === positionals[0]) return key;
  return `${key}:${createHash('sha256').update(uri).digest('hex').slice(0, KEY_DIGITS)}`;
}

async function settle(
  it: Asking & { readonly out: string | undefined },
  { uri, acquisitionId, refused }: Asked,
  signal: AbortSignal,
): Promise<number> {
  const { printer } = it.here;
  if (acquisitionId === undefined) {
    const code = refused?.code ?? EXIT.failed;
    printer.value('result', { target: uri, exitCode: code, message: refused?.message });
    printer.error(`${uri}: ${refused?.message}`);
    return code;
  }
  const ending = await followToEnd(it.client, acquisitionId, printer);
  const bag = await written(it, ending, signal);
  const { code, status, holder } = ending;
  printer.value('result', { acquisitionId, holder, target: uri, status, exitCode: code, bag });
  if (bag === undefined) printer.line(next(ending));
  return code;
}

async function written(
  { here, client, wish, out }: Asking & { readonly out: string | undefined },
  { code, holder }: Ending,
  signal: AbortSignal,
): Promise<WrittenOut | undefined> {
  if (out === undefined || (code !== EXIT.ok && code !== EXIT.partial)) return undefined;
  const purpose = `exported by impound acquire: ${wish.reason}`;
  const { printer } = here;
  return await exportBag(
    { client, acquisitionId: holder, directory: out, purpose, printer },
    signal,
  );
}

function next({ code, status, holder }: Ending): string {
  return code === EXIT.ok || code === EXIT.partial
    ? `${status}; next: impound export ${holder} --out DIR, then impound verify DIR`
    : `${status}; next: impound show ${holder} tells what happened and what to do`;
}

/** Interrupting the command does not cancel what is on record: said, with how to go on. */
function tellInterrupted({ printer }: Here, asked: readonly Asked[], temporary: boolean): void {
  for (const { acquisitionId } of asked) {
    if (acquisitionId === undefined) continue;
    const how = temporary
      ? `is on record: impound up finishes it, if its deadline allows`
      : `goes on: impound watch ${acquisitionId}, or impound cancel ${acquisitionId} --reason R`;
    printer.error(`${acquisitionId} ${how}`);
  }
}
