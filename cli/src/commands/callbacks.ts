// SPDX-License-Identifier: Apache-2.0
import { AcquisitionId } from '@impound/contracts/ids.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { reachRecords } from './reach.ts';

interface GivenUp {
  readonly acquisitionId: string;
  readonly about: string;
  readonly attempt: number;
  readonly because: string;
  readonly at: string;
}

interface Page {
  readonly callbacks: readonly GivenUp[];
  readonly next?: number;
}

const ALL = 'all';

/** Lists the callbacks that are given up, or has them sent once more. */
export async function callbacks(here: Here, signal: AbortSignal): Promise<number> {
  const [verb = '', ...ids] = here.args.positionals;
  if (verb === 'list' && ids.length === 0) return await list(here, signal);
  if (verb === 'send' && ids.length > 0) return await send(here, ids, signal);
  throw new Exit(EXIT.usage, 'callbacks list, or callbacks send all|ID... --reason R');
}

async function list(here: Here, signal: AbortSignal): Promise<number> {
  await using platform = await reachRecords(here, signal);
  const { printer } = here;
  let count = 0;
  for await (const one of givenUp(openClient(platform.access, signal))) {
    count += 1;
    printer.value('callback', one);
    const { acquisitionId, attempt, because, at } = one;
    printer.line(`${acquisitionId}  ${at}  attempt ${attempt}: ${because}`);
  }
  if (count === 0) printer.line('no callback is given up');
  else printer.line('next: impound callbacks send all|ID... --reason R, when the receiver works');
  return EXIT.ok;
}

async function* givenUp(client: Client): AsyncGenerator<GivenUp> {
  for (let after = -1; ; ) {
    const { callbacks: page, next } = await client.get<Page>(`/v1/callbacks?after=${after}`);
    yield* page;
    if (next === undefined) return;
    after = next;
  }
}

async function send(here: Here, ids: readonly string[], signal: AbortSignal): Promise<number> {
  const reason = here.args.needed('reason');
  const strange = ids.find((id) => id !== ALL && !AcquisitionId.safeParse(id).success);
  if (strange !== undefined || (ids.includes(ALL) && ids.length > 1)) {
    throw new Exit(EXIT.usage, `callbacks send all, or ids of acquisitions: ${ids.join(' ')}`);
  }
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  // What is asked for leaves the list: it is read to its end before.
  const wanted = ids.includes(ALL) ? await idsIn(givenUp(client)) : new Set(ids);
  for (const id of wanted) {
    await client.post(`/v1/acquisitions/${id}/call-back`, { reason });
    here.printer.value('callback', { acquisitionId: id, sent: 'again' });
    here.printer.line(`on record: ${id} is told again; next: impound show ${id}`);
  }
  if (wanted.size === 0) here.printer.line('no callback is given up');
  return EXIT.ok;
}

async function idsIn(all: AsyncIterable<GivenUp>): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { acquisitionId } of all) ids.add(acquisitionId);
  return ids;
}
