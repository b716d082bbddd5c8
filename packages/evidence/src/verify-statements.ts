// SPDX-License-Identifier: Apache-2.0
import { LOG_TENANT } from '@impound/contracts/log-key.ts';
import { type Signers, signerSuccessionText } from '@impound/contracts/signer.ts';
import { type ReadStatement, signedBy } from '@impound/contracts/statement-check.ts';
import type { Checkpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { signedText } from '@impound/transparency/signed-text.ts';
import { entryName } from './custody-log.ts';
import type { CustodyReader } from './custody-read.ts';
import {
  entryIn,
  type SignerChange,
  type Stated,
  signerChangeIn,
  signerName,
  statedIn,
  statementFiles,
} from './statements.ts';
import { type ChainLine, type Placed, provenIndex } from './verify-entries.ts';

/** A key by which something in a chain is signed, and how it is known. */
export interface SignerSeen {
  readonly service: string;
  /** The 32 bytes in base64. */
  readonly publicKey: string;
  readonly from: 'bag' | 'given';
  /** True where it took the place of another one that did not vouch for it. */
  readonly unvouched: boolean;
}

/** An entry that nobody has signed, and whose word it says to be. */
export interface Unsigned {
  readonly acqSeq: number;
  readonly service: string;
}

/** What verifying showed of who said what in a chain. */
export interface StatementReport {
  /** How many entries are signed by who said them. */
  readonly signed: number;
  /** Entries without a signature that counts, where nobody was on record who signs. */
  readonly unsigned: readonly Unsigned[];
  readonly signers: readonly SignerSeen[];
  /** Where in the log the entries stand by which the bag knows signers. */
  readonly named: readonly bigint[];
}

interface Under {
  readonly chain: AsyncIterable<ChainLine>;
  readonly placed: readonly Placed[];
  readonly checkpoint: Checkpoint | undefined;
  /** Whom the verifier believes, by another way than the bag. */
  readonly given: Signers;
}

interface OnRecord extends SignerChange {
  readonly index: bigint;
}

/**
 * Checks that who captured and stored evidence has signed that, by a key that was on record then
 * (or one that is given), and because of the very entries that stand before it in the chain.
 */
export async function verifyStatements(
  reader: CustodyReader,
  { chain, placed, checkpoint, given }: Under,
): Promise<StatementReport> {
  const record = await readSigners(reader, checkpoint);
  const indexes = new Map(placed.map(({ name, index }) => [name, index]));
  const causes = new Map<string, string>();
  const report = { signed: 0, unsigned: [] as Unsigned[], signers: [] as SignerSeen[] };
  for await (const line of chain) {
    const stated = statedIn(line.bytes);
    if (stated !== undefined) {
      const index = indexes.get(entryName(stated.acqSeq));
      const keys = keysFor(stated.service, { record, given, index });
      const isWanted = wanted({ record, given, index });
      const key = await checkOne(reader, { stated, keys, causes, index, isWanted });
      count(report, { stated, isWanted, key }, { record, given });
    }
    if (!causes.has(line.eventId)) causes.set(line.eventId, leafHash(line.bytes).toString('hex'));
  }
  return { ...report, named: [...new Set(record.map(({ index }) => index))] };
}

interface Checked {
  readonly stated: Stated;
  readonly isWanted: boolean;
  /** By which it is signed. */
  readonly key: string | undefined;
}

function count(
  report: { signed: number; readonly unsigned: Unsigned[]; readonly signers: SignerSeen[] },
  { stated: { acqSeq, service, read }, isWanted, key }: Checked,
  known: Known,
): void {
  if (key === undefined) {
    if (typeof read !== 'string' && !isWanted) report.unsigned.push({ acqSeq, service });
    return;
  }
  report.signed += 1;
  const isSeen = report.signers.some((one) => one.service === service && one.publicKey === key);
  if (!isSeen) report.signers.push(seenOf(service, key, known));
}

const SIGNERS_MAX = 1_000;
const ENTRY_BYTES_MAX = 65_535;

/** The entries in a bag that say who signs, as far as they are proven to stand in the log. */
async function readSigners(
  reader: CustodyReader,
  checkpoint: Checkpoint | undefined,
): Promise<readonly OnRecord[]> {
  const found: OnRecord[] = [];
  for (let at = 1; at <= SIGNERS_MAX; at++) {
    const name = signerName(at);
    const entry = await reader.readIfThere(name, ENTRY_BYTES_MAX);
    if (entry === undefined) break;
    const change = signerChangeIn(entry);
    if (change === undefined || entryIn(entry)?.event.tenant !== LOG_TENANT) {
      reader.add('entry-differs', 'it is no entry by which the log names a signer', { name });
      continue;
    }
    const index = await provenIndex(reader, { name, entry, root: checkpoint });
    if (index === undefined) continue;
    found.push({ ...change, index });
    checkVoucher(reader, change, { name, index });
  }
  return found.toSorted((one, other) => (one.index < other.index ? -1 : 1));
}

function checkVoucher(
  reader: CustodyReader,
  { service, publicKey, registered }: SignerChange,
  at: { readonly name: string; readonly index: bigint },
): void {
  const vouched = registered?.vouched;
  if (vouched === undefined) return;
  const text = signerSuccessionText(service, publicKey);
  if (signedText.isSigned(vouched.by, text, vouched.signature)) return;
  reader.add('signature-refused', `${vouched.by} has not vouched for this key`, at);
}

interface Known {
  readonly record: readonly OnRecord[];
  readonly given: Signers;
}

/** Whether all that is to be signed had to be when an entry was recorded. */
function wanted({ record, given, index }: Known & { readonly index: bigint | undefined }): boolean {
  const first = record[0]?.index;
  const isOnRecord = first !== undefined && (index === undefined || first < index);
  return isOnRecord || Object.keys(given).length > 0;
}

/** The keys that count for an entry of a service; one whose place is not known may have any. */
function keysFor(
  service: string,
  { record, given, index }: Known & { readonly index: bigint | undefined },
): readonly string[] {
  const own = given[service];
  if (own !== undefined) return own.map(({ publicKey }) => publicKey);
  const before = record.filter(
    (one) => one.service === service && (index === undefined || one.index < index),
  );
  const live = new Set<string>();
  for (const { publicKey, registered } of before) {
    if (registered === undefined) live.delete(publicKey);
    else live.add(publicKey);
  }
  return [...live];
}

function seenOf(service: string, publicKey: string, { record, given }: Known): SignerSeen {
  const own = record.filter((one) => one.service === service && one.registered !== undefined);
  const at = own.findIndex((one) => one.publicKey === publicKey);
  const by = own[at]?.registered?.vouched?.by;
  const earlier = own.slice(0, Math.max(at, 0)).map((one) => one.publicKey);
  const unvouched = at > 0 && (by === undefined || !earlier.includes(by));
  return { service, publicKey, from: given[service] === undefined ? 'bag' : 'given', unvouched };
}

interface One {
  readonly stated: Stated;
  readonly keys: readonly string[];
  /** Leaf hashes of the entries before it, by the ids of their events. */
  readonly causes: ReadonlyMap<string, string>;
  readonly index: bigint | undefined;
  readonly isWanted: boolean;
}

/** The key that has signed it, or undefined and, where it had to be signed, a finding. */
async function checkOne(reader: CustodyReader, one: One): Promise<string | undefined> {
  const { stated, keys, index, isWanted } = one;
  const { acqSeq, service, read, event } = stated;
  const of = { eventId: event.id, ...(index === undefined ? {} : { index }) };
  const at = { name: entryName(acqSeq), ...of };
  if (read === undefined) {
    if (isWanted) reader.add('statement-missing', `${service} has not signed it`, at);
    return undefined;
  }
  if (typeof read === 'string') {
    reader.add('statement-refused', read, at);
    return undefined;
  }
  await checkFiles(reader, stated, { keys, of });
  const fault = faultOf(read, one);
  if (fault === undefined) return signedBy(read, keys, signedText)?.publicKey;
  reader.add('statement-refused', fault, at);
  return undefined;
}

function faultOf(read: ReadStatement, { stated, keys, causes, isWanted }: One): string | undefined {
  const { service } = stated;
  const { cause } = read.payload.predicate;
  if (causes.get(cause.id) !== cause.entryHash) {
    return `it was said because of the entry ${cause.entryHash}, which does not stand before it`;
  }
  // Services are given keys before the log is told of them: until then these vouch for nothing.
  if (!isWanted) return undefined;
  if (keys.length === 0) return `nobody was on record then who signs for ${service}`;
  if (signedBy(read, keys, signedText) !== undefined) return undefined;
  return `it is signed by no key of ${service} that counted then`;
}

/** What the bag shows of a statement beside the chain is what stands in the chain. */
async function checkFiles(
  reader: CustodyReader,
  stated: Stated,
  { keys, of }: { readonly keys: readonly string[]; readonly of: { readonly eventId: string } },
): Promise<void> {
  for (const { name, bytes } of statementFiles(stated, keys)) {
    const own = await reader.read(name, ENTRY_BYTES_MAX, of);
    if (own === undefined || own.equals(bytes)) continue;
    const what = 'these bytes are not those of the statement in custody/chain.jsonl';
    reader.add('entry-differs', what, { name, ...of });
  }
}
