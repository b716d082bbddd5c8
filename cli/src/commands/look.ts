// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import { neededAccess } from '../access.ts';
import { openClient, type Shown } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { timelineLine } from '../timeline.ts';
import { follow } from './follow.ts';

/** Lists acquisitions, newest first. */
export async function list(here: Here, signal: AbortSignal): Promise<number> {
  const client = openClient(await neededAccess(here), signal);
  const caseId = here.args.text('case');
  const query = new URLSearchParams(caseId === undefined ? {} : { case: caseId });
  const { acquisitions } = await client.get<{ acquisitions: Shown[] }>(`/v1/acquisitions?${query}`);
  for (const one of acquisitions) {
    here.printer.value(one);
    const { acquisitionId, status, caseId: owner, target } = one;
    here.printer.line(`${acquisitionId}  ${status.padEnd(17)} ${owner.padEnd(16)} ${target}`);
  }
  if (acquisitions.length === 0) here.printer.line('no acquisitions');
  return EXIT.ok;
}

function idOf(here: Here): string {
  const [id] = here.args.positionals;
  if (id !== undefined) return id;
  throw new Exit(
    EXIT.usage,
    `${here.args.command} takes an acquisition id; impound list shows them`,
  );
}

/** Follows one acquisition until it ends. */
export async function watch(here: Here, signal: AbortSignal): Promise<number> {
  const client = openClient(await neededAccess(here), signal);
  return await follow(client, idOf(here), here.printer);
}

/** Shows one acquisition: its state, its timeline, and what to do where it failed. */
export async function show(here: Here, signal: AbortSignal): Promise<number> {
  const client = openClient(await neededAccess(here), signal);
  const id = idOf(here);
  const shown = await client.get<Shown>(`/v1/acquisitions/${id}`);
  here.printer.value(shown);
  here.printer.line(`${shown.acquisitionId}: ${shown.status}`);
  here.printer.line(`  case   ${shown.caseId}`);
  here.printer.line(`  target ${shown.target}`);
  const response = await client.stream(`/v1/acquisitions/${id}/chain`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  const entries = lines.map((line) => Entry.parse(JSON.parse(line)));
  for (const entry of entries) {
    here.printer.line(timelineLine(entry, entries[0]?.recordedAt ?? ''));
    const next = entry.event.data['next'];
    if (typeof next === 'string') here.printer.line(`    what to do: ${next}`);
  }
  return EXIT.ok;
}
