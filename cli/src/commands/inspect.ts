// SPDX-License-Identifier: Apache-2.0
import { Inspection } from '@impound/contracts/evidence.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { acquisitionsOf, idOf } from './look.ts';
import { reachRecords } from './reach.ts';

const HOUR_MS = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };

/** Has the store asked how it holds evidence: of one acquisition, or of all since; on record. */
export async function inspect(here: Here, signal: AbortSignal): Promise<number> {
  const since = sinceOf(here);
  const id = since === undefined ? idOf(here) : undefined;
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  if (id === undefined) return await inspectAll(here, client, since ?? 0);
  const { objects, differing, locked } = await look(here, client, id);
  if (objects === 0) throw new Exit(EXIT.failed, 'this acquisition has stored no evidence');
  for (const line of differing) here.printer.line(line);
  if (differing.length > 0) {
    here.printer.line('NOT HELD AS ON RECORD: find out who changed it, and export what is there');
    return EXIT.findings;
  }
  here.printer.line(`on record: ${objects} objects are held as they were, ${locked} locked`);
  return EXIT.ok;
}

/** From when on, in milliseconds; undefined: one acquisition is named. Throws Exit(usage). */
function sinceOf({ args }: Here): number | undefined {
  const text = args.text('since');
  if (text === undefined) return undefined;
  if (args.positionals.length > 0) {
    throw new Exit(EXIT.usage, 'inspect takes one acquisition id or --since, not both');
  }
  const [, count, unit = ''] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return Date.now() - Number(count) * unitMs;
  throw new Exit(EXIT.usage, `--since ${text}: days or hours, such as 30d or 12h`);
}

type Kind = 'held' | 'differing' | 'empty' | 'unseen';

/** What cannot be looked at is told, and does not keep the others from being looked at. */
async function inspectAll(here: Here, client: Client, sinceMs: number): Promise<number> {
  const { printer } = here;
  const count: Record<Kind, number> = { held: 0, differing: 0, empty: 0, unseen: 0 };
  for await (const one of acquisitionsOf(client)) {
    if (Date.parse(String(one['requestedAt'])) < sinceMs) break;
    count[await inspectOne(here, client, one.acquisitionId)]++;
  }
  const { held, differing, empty, unseen } = count;
  printer.value('inspections', { ok: differing + unseen === 0, ...count });
  printer.line(`on record: ${held} held as they were, ${differing} NOT, ${empty} without evidence`);
  if (unseen > 0) printer.line(`${unseen} could not be looked at: have it done again`);
  if (differing > 0) return EXIT.findings;
  return unseen > 0 ? EXIT.failed : EXIT.ok;
}

async function inspectOne(here: Here, client: Client, id: string): Promise<Kind> {
  const { printer } = here;
  try {
    const { objects, differing, locked } = await look(here, client, id);
    if (objects === 0) return 'empty';
    const held = differing.length === 0;
    const what = held ? 'held' : 'NOT HELD AS ON RECORD';
    printer.line(`${id}  ${what}, ${objects} objects, ${locked} locked`);
    for (const line of differing) printer.line(line);
    return held ? 'held' : 'differing';
  } catch (error) {
    if (!(error instanceof Exit) || error.code === EXIT.stopped) throw error;
    printer.error(`${id}: ${error.message}`);
    return 'unseen';
  }
}

interface Looked {
  readonly objects: number;
  /** What is not as on record, a line each. */
  readonly differing: readonly string[];
  readonly locked: number;
}

async function look({ args, printer }: Here, client: Client, id: string): Promise<Looked> {
  const reason = args.text('reason') ?? 'inspected by impound inspect';
  const path = `/v1/acquisitions/${id}/inspect`;
  const { objects } = Inspection.parse(await client.post(path, { reason }));
  const differing = objects.flatMap(({ key, deviations }) =>
    deviations.map(({ code, because }) => `  ${code}: ${because} (${key})`),
  );
  printer.value('inspection', { acquisitionId: id, ok: differing.length === 0, objects });
  const locks = objects.map(({ retention }) => retention?.mode ?? 'none');
  return {
    objects: objects.length,
    differing,
    locked: locks.filter((mode) => mode !== 'none').length,
  };
}
