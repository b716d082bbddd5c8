// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import { AcquisitionId } from '@impound/contracts/ids.ts';
import { runningAccess } from '../access.ts';
import { type Client, openClient, type Shown } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import type { Printer } from '../printer.ts';
import { timelineLine, waitingLine } from '../timeline.ts';
import { followToEnd, joinsOf } from './follow.ts';
import { reachRecords } from './reach.ts';

const PAGE = '200';

interface Page {
  readonly acquisitions: readonly Shown[];
  readonly next?: number;
}

/** Lists acquisitions, newest first. */
export async function list(here: Here, signal: AbortSignal): Promise<number> {
  if (here.args.positionals.length > 0) {
    throw new Exit(EXIT.usage, 'list takes no argument; --case C names a case');
  }
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const caseId = here.args.text('case');
  let some = false;
  for await (const one of acquisitionsOf(client, caseId)) {
    some = true;
    here.printer.value('acquisition', one);
    const { acquisitionId, status, caseId: owner, target } = one;
    here.printer.line(`${acquisitionId}  ${status.padEnd(17)} ${owner.padEnd(16)} ${target}`);
  }
  if (!some) here.printer.line('no acquisitions');
  return EXIT.ok;
}

/** All acquisitions, or those of a case, newest first, page by page. */
export async function* acquisitionsOf(client: Client, caseId?: string): AsyncGenerator<Shown> {
  const query = new URLSearchParams({ limit: PAGE });
  if (caseId !== undefined) query.set('case', caseId);
  for (;;) {
    const { acquisitions, next } = await client.get<Page>(`/v1/acquisitions?${query}`);
    yield* acquisitions;
    if (next === undefined) return;
    query.set('before', String(next));
  }
}

/** The one acquisition id of a command line. Throws Exit(usage). */
export function idOf({ args }: Here): string {
  const [id, ...more] = args.positionals;
  if (id !== undefined && more.length === 0 && AcquisitionId.safeParse(id).success) return id;
  const said = id === undefined || more.length > 0 ? '' : `, and ${id} is none`;
  const message = `${args.command} takes one acquisition id${said}; impound list shows them`;
  throw new Exit(EXIT.usage, message);
}

/** Follows one acquisition until it ends. */
export async function watch(here: Here, signal: AbortSignal): Promise<number> {
  const id = idOf(here);
  const client = openClient(await runningAccess(here), signal);
  const { code, status, holder } = await followToEnd(client, id, here.printer);
  here.printer.value('result', { acquisitionId: id, holder, status, exitCode: code });
  here.printer.line(status);
  return code;
}

/** Shows one acquisition: its state, its timeline, and what to do next. */
export async function show(here: Here, signal: AbortSignal): Promise<number> {
  const id = idOf(here);
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const shown = await client.get<Shown>(`/v1/acquisitions/${id}`);
  const { printer } = here;
  printer.value('acquisition', shown);
  printer.line(`${shown.acquisitionId}: ${shown.status}`);
  printer.line(`  case   ${shown.caseId}`);
  printer.line(`  target ${shown.target}`);
  const entries = await chainOf(client, id);
  for (const entry of entries) {
    printer.line(timelineLine(entry, entries[0]?.recordedAt ?? ''));
  }
  tellNext(shown, entries, printer);
  return EXIT.ok;
}

/** The entries of a chain, in their order. */
export async function chainOf(client: Client, id: string): Promise<readonly Entry[]> {
  const text = await (await client.stream(`/v1/acquisitions/${id}/chain`)).text();
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => Entry.parse(JSON.parse(line)));
}

function tellNext(shown: Shown, entries: readonly Entry[], printer: Printer): void {
  for (const { event } of entries) {
    const { next } = event.data;
    if (typeof next === 'string') printer.line(`what to do: ${next}`);
  }
  const { acquisitionId, status, waiting } = shown;
  if (typeof waiting === 'string') {
    printer.line(`waiting: ${waitingLine(waiting, acquisitionId)}`);
  }
  if (status === 'failed') tellGrant(shown['grant'], printer);
  const joins = joinsOf(shown);
  if (joins !== undefined) printer.line(`it shares the result of ${joins}: impound show ${joins}`);
  const next = NEXT[status];
  if (next !== undefined) printer.line(`next: impound ${next.replaceAll('ID', acquisitionId)}`);
}

/** The RBAC manifest of access.checked: what kubectl apply -f - takes. */
function tellGrant(grant: unknown, printer: Printer): void {
  if (typeof grant !== 'string') return;
  printer.line('the RBAC manifest that grants what was missing, and no more:');
  for (const line of grant.trimEnd().split('\n')) printer.line(`    ${line}`);
}

const NEXT: Readonly<Record<string, string>> = {
  sealed: 'export ID --out DIR, then impound verify DIR',
  'awaiting-approval': 'approve ID --reason R, by somebody other than who asked',
  assigned: 'watch ID',
  executing: 'watch ID',
  storing: 'watch ID',
};
