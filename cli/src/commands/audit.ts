// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { Entry } from '@impound/contracts/entry.ts';
import { leafHash } from '@impound/evidence/verify-chain.ts';
import type { Recorded } from '@impound/report/account.ts';
import { csv } from '@impound/report/csv.ts';
import { actorOf, detail } from '@impound/report/telling.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { save } from '../new-file.ts';
import { reachRecords } from './reach.ts';

const PAGE = '1000';

interface Page {
  readonly size: number;
  readonly checkpoint?: string;
  readonly next?: number;
  readonly entries: readonly {
    readonly index: number;
    readonly leaf: string;
    readonly entry: string;
  }[];
}

interface Read extends Recorded {
  /** The exact text that was hashed. */
  readonly text: string;
}

/** Reads the log of a tenant as an auditor: every page is on record before it is given. */
export async function audit(here: Here, signal: AbortSignal): Promise<number> {
  const { args } = here;
  if (args.positionals.length > 0) {
    throw new Exit(EXIT.usage, 'audit takes no argument, only options; see impound help');
  }
  const query = queryOf(here);
  const file = args.text('out');
  const write = file === undefined ? undefined : writerOf(file);
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const read: Sum = { entries: 0, size: 0, checkpoint: '' };
  const entries = entriesOf(client, query, read);
  if (file === undefined || write === undefined) {
    for await (const one of entries) tell(here, one);
  } else {
    await save(file, write(entries), signal);
  }
  sumUp(here, read);
  return EXIT.ok;
}

/** What was read altogether. */
interface Sum {
  entries: number;
  size: number;
  checkpoint: string;
}

function sumUp({ printer }: Here, read: Sum): void {
  printer.value('audit', read);
  printer.line(`${read.entries} entries of ${read.size} that the log had`);
  const lines = read.checkpoint.split('\n').filter((line) => line !== '');
  if (lines.length === 0) printer.line('  no checkpoint stands over them yet');
  for (const line of lines) printer.line(`  ${line}`);
}

/** The options, and what the door calls them. */
const FILTERS = {
  case: 'caseId',
  acquisition: 'acquisitionId',
  actor: 'actor',
  type: 'type',
  target: 'target',
} as const;

function queryOf({ args }: Here): URLSearchParams {
  const query = new URLSearchParams({ purpose: args.needed('purpose'), limit: PAGE });
  for (const [option, name] of Object.entries(FILTERS)) {
    const value = args.text(option as keyof typeof FILTERS);
    if (value !== undefined) query.set(name, value);
  }
  const clock = args.flag('claimed') ? 'claimed' : 'recorded';
  for (const [option, end] of [
    ['from', 'From'],
    ['to', 'To'],
  ] as const) {
    const value = args.text(option);
    if (value !== undefined) query.set(clock + end, timeOf(option, value));
  }
  return query;
}

/** RFC 3339 or a date, as the six decimals by which times are compared. Throws Exit(usage). */
function timeOf(option: string, value: string): string {
  const ms = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new Exit(EXIT.usage, `--${option} ${value}: give a time such as 2026-11-23T09:15:00Z`);
  }
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** Page by page, up to where the log ended when the first page was read. */
async function* entriesOf(client: Client, query: URLSearchParams, read: Sum): AsyncGenerator<Read> {
  for (;;) {
    const page = await client.get<Page>(`/v1/audit?${query}`);
    read.size ||= page.size;
    read.checkpoint ||= page.checkpoint ?? '';
    const entries = page.entries.filter(({ index }) => index < read.size).map(checked);
    read.entries += entries.length;
    yield* entries;
    if (page.next === undefined || page.next >= read.size - 1) return;
    query.set('after', String(page.next));
  }
}

function checked({ index, leaf, entry: text }: Page['entries'][number]): Read {
  if (leafHash(Buffer.from(text)) === leaf) {
    return { index, leaf, text, entry: Entry.parse(JSON.parse(text)) };
  }
  throw new Exit(EXIT.findings, `entry ${index} does not have the hash it was given with`);
}

type Write = (entries: AsyncIterable<Read>) => AsyncIterable<string>;

const FORMATS: Readonly<Record<string, Write>> = {
  '.csv': csv,
  '.jsonl': async function* (entries) {
    for await (const { text } of entries) yield `${text}\n`;
  },
};

function writerOf(file: string): Write {
  const write = FORMATS[extname(file).toLowerCase()];
  if (write !== undefined) return write;
  const known = Object.keys(FORMATS).join(' or ');
  throw new Exit(EXIT.usage, `${file}: name a file that ends in ${known}`);
}

function tell({ printer }: Here, { index, leaf, entry, text }: Read): void {
  const { event, acq } = entry;
  printer.value('entry', { index, leaf, entry: text });
  const who = actorOf(entry).id;
  const what = detail(event.type, event.data);
  printer.line(`${index}  ${entry.recordedAt}  ${acq}  ${who}  ${event.type}  ${what}`.trimEnd());
}
