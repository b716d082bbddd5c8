// SPDX-License-Identifier: Apache-2.0
import { type Acquisition, fold } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { type BagObject, writeBag } from '@impound/evidence/bag.ts';
import type { CustodyLog } from '@impound/evidence/custody-log.ts';
import { exportedObjects, leafHash } from '@impound/evidence/verify-chain.ts';
import { bagReports } from '@impound/report/bag-reports.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { logProofs } from '../log-proofs.ts';
import { bytesText, type Printer } from '../printer.ts';
import { chainOf, idOf } from './look.ts';
import { reachRecords } from './reach.ts';

/** Writes one acquisition as a BagIt bag: evidence, context and chain. */
export async function exportCommand(here: Here, signal: AbortSignal): Promise<number> {
  const acquisitionId = idOf(here);
  const directory = here.args.needed('out');
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const purpose = here.args.text('purpose') ?? 'exported by impound export';
  await exportBag({ client, acquisitionId, directory, purpose, printer: here.printer }, signal);
  return EXIT.ok;
}

interface Export {
  readonly client: Client;
  readonly acquisitionId: string;
  readonly directory: string;
  readonly purpose: string;
  readonly printer: Printer;
}

/** A bag that was written, with the two hashes to keep elsewhere. */
export interface WrittenOut {
  readonly directory: string;
  readonly sha256: string;
  /** Leaf hash of the chain's last entry in the bag. */
  readonly head: string;
  readonly bytes: number;
}

/** The chain is taken last, so that it tells of this very access to the evidence. */
export async function exportBag(it: Export, signal: AbortSignal): Promise<WrittenOut> {
  const { directory, printer } = it;
  const state = fold(await chainOf(it.client, it.acquisitionId));
  const chosen = exportedObjects(state);
  if (chosen.length === 0) throw new Exit(EXIT.failed, nothingStored(state));
  const objects = chosen.map((object) => bagObject(it, object));
  const chain = { head: '' };
  const content = {
    objects,
    chain: chainBytes(it, chain),
    log: ({ length: entries }: readonly Buffer[]) =>
      logProofs(it.client, { acquisitionId: it.acquisitionId, entries }, signal),
    reports: (entries: readonly Buffer[], log?: CustodyLog) =>
      bagReports(entries, log?.proofs.map(({ index }) => index) ?? []),
    info: (entries: readonly Buffer[]) => infoOf(it, state, entries),
  };
  const { sha256 } = await writeBag(directory, content, signal).catch((cause: unknown) => {
    throw unwritten(directory, cause, signal);
  });
  const bytes = chosen.reduce((sum, object) => sum + object.bytes, 0);
  const written = { directory, sha256, head: chain.head, bytes };
  printer.value('bag', written);
  printer.line(`exported ${bytesText(bytes)} to ${directory}`);
  printer.line(`  chain head  ${chain.head}`);
  printer.line(`  bag SHA-256 ${sha256}`);
  printer.line('              write both down where nobody who holds the bag can change them');
  printer.line(`  next        impound verify ${directory}`);
  return written;
}

function nothingStored({ ended }: Acquisition): string {
  const { joins } = (ended?.data ?? {}) as { joins?: string };
  if (joins !== undefined) return `it shares the result of ${joins}: export that one`;
  return 'this acquisition has stored no evidence; impound show tells why';
}

function unwritten(directory: string, cause: unknown, signal: AbortSignal): Exit {
  if (signal.aborted) return new Exit(EXIT.stopped, 'interrupted: no bag was left', { cause });
  const code = cause instanceof Exit ? cause.code : EXIT.failed;
  const because = cause instanceof Error ? cause.message : String(cause);
  const broken = because === 'terminated' ? 'the platform broke off' : because;
  return new Exit(code, `no bag was written to ${directory}: ${broken}`, { cause });
}

function bagObject(it: Export, object: EvidenceObject): BagObject {
  const { name, bytes, sha256, key } = object;
  const [set = '', file = ''] = key.split('/').slice(-2);
  const query = new URLSearchParams({ purpose: it.purpose });
  const path = `/v1/acquisitions/${it.acquisitionId}/evidence/${set}/${file}?${query}`;
  const content = (async function* () {
    it.printer.doing(`fetching ${name} (${bytesText(bytes)})`);
    yield* (await it.client.stream(path)).body ?? [];
  })();
  return { name, bytes, sha256, content };
}

const LINE_BYTES_MAX = 1_048_576;
const NEWLINE = 0x0a;

/** The chain's bytes on their way into the bag; notes the leaf hash of the last line. */
async function* chainBytes(it: Export, chain: { head: string }): AsyncGenerator<Uint8Array> {
  const { body } = await it.client.stream(`/v1/acquisitions/${it.acquisitionId}/chain`);
  let rest = Buffer.alloc(0);
  for await (const chunk of body ?? []) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      chain.head = leafHash(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LINE_BYTES_MAX) throw new RangeError('an entry of the chain is too long');
    yield chunk;
  }
}

/** The same chain gives the same bag: it is dated by the last entry, which tells of this export. */
function infoOf(
  it: Export,
  state: Acquisition,
  entries: readonly Buffer[],
): Record<string, string> {
  const { recordedAt } = Entry.parse(JSON.parse(String(entries.at(-1))));
  return {
    'External-Identifier': it.acquisitionId,
    'Internal-Sender-Identifier': state.request?.caseId ?? '',
    'External-Description': state.request ? formatTarget(state.request.target) : '',
    'Bagging-Date': recordedAt.slice(0, 10),
  };
}
