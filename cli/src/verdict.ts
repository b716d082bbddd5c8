// SPDX-License-Identifier: Apache-2.0
import { printable } from '@impound/evidence/path-bytes.ts';
import type { BagReport } from '@impound/evidence/verify-bag.ts';
import type { ChainReport } from '@impound/evidence/verify-chain.ts';
import type { LogReport } from '@impound/evidence/verify-log.ts';
import { operatorOfLog } from '@impound/transparency/operators.ts';
import { EXIT, worstOf } from './exit-code.ts';

/** One thing that verifying found wrong: what, where, and at which entry of the log. */
export interface Finding {
  readonly code: string;
  readonly what: string;
  readonly where: string;
  readonly index?: bigint;
  readonly eventId?: string;
}

/** The class that a finding belongs to, where it is not one of the bag itself. */
const CLASSES: ReadonlyMap<string, number> = new Map([
  ...classOf(EXIT.chain, ['chain-unreadable', 'chain-line-invalid', 'chain-not-canonical']),
  ...classOf(EXIT.chain, ['chain-broken', 'chain-mixed', 'chain-unsealed', 'seal-mismatch']),
  ...classOf(EXIT.signature, ['signature-missing', 'signature-refused', 'key-malformed']),
  ...classOf(EXIT.signature, ['key-differs', 'note-malformed', 'checkpoint-malformed']),
  ...classOf(EXIT.signature, ['statement-missing', 'statement-refused']),
  ...classOf(EXIT.proof, ['proof-missing', 'proof-malformed', 'proof-refused', 'proof-differs']),
  ...classOf(EXIT.proof, ['entry-differs', 'index-order', 'heads-differ', 'root-differs']),
  ...classOf(EXIT.chain, ['chain-disordered', 'chain-cut', 'heads-missing']),
  ...classOf(EXIT.witness, ['quorum-unmet', 'policy-malformed', 'cosignature-stale']),
  ...classOf(EXIT.history, ['history-differs']),
  ...classOf(EXIT.time, ['stamp-refused', 'stamp-differs', 'time-contradicted']),
]);

function classOf(exit: number, codes: readonly string[]): readonly (readonly [string, number])[] {
  return codes.map((code) => [code, exit]);
}

/** What verifying ends with: the worst class of what was found. */
export function exitOf(findings: readonly Pick<Finding, 'code'>[]): number {
  return worstOf(findings.map(({ code }) => CLASSES.get(code) ?? EXIT.findings));
}

/** The index of a finding as JSON can have it. */
export function indexText({ index }: Finding): { readonly index?: string } {
  return index === undefined ? {} : { index: String(index) };
}

/** What JSON tells of the log. */
export function told(log: LogReport): object {
  const { checkpoint, key, policy, witnesses, proven, seal, time, heads } = log;
  const { alone, statements } = log;
  return {
    checkpoint: checkpoint && {
      origin: checkpoint.origin,
      size: String(checkpoint.size),
      root: checkpoint.root.toString('hex'),
    },
    ...{ key, policy, proven, alone },
    statements: { ...statements, named: statements.named.map(String) },
    witnesses: witnesses.map(({ name, time }) => ({ name, at: timeText(time) })),
    seal: seal && { ...seal, index: String(seal.index) },
    time: time && {
      ...time,
      after: time.after && { ...time.after, index: String(time.after.index) },
    },
    heads: heads && {
      ...{ index: String(heads.index), size: String(heads.size), recordedAt: heads.recordedAt },
      entries: String(heads.entries),
    },
  };
}

interface Verified {
  readonly bag: BagReport;
  readonly chain: ChainReport;
  readonly log: LogReport;
  readonly findings: readonly Finding[];
}

/** What people read: everything that was found, or what was checked, by which key, and what not. */
export function verdictLines({ bag, chain, log, findings }: Verified): readonly string[] {
  const hashes = [
    `  chain head  ${chain.head}`,
    `  bag SHA-256 ${bag.sha256 ?? 'unknown: it has no tagmanifest-sha256.txt'}`,
  ];
  if (findings.length > 0) {
    const more = bag.findingsLeftOut > 0 ? ` and ${bag.findingsLeftOut} more` : '';
    return [
      ...findings.map(findingLine),
      `NOT VERIFIED, ${findings.length} findings${more}: do not rely on this bag`,
      ...hashes,
    ];
  }
  const captures = [...bag.captures.values()];
  const files = captures.reduce((sum, one) => sum + one.files, 0);
  return [
    `verified: everything fits${byNobody(log)}`,
    `  ${captures.length} captures, ${files} files: each has the SHA-256 of its manifest`,
    `  ${chain.entries} entries: each names the hash of the one before; seal checked`,
    ...logLines(log),
    ...statementLines(log),
    ...timeLines(log),
    ...headsLines(log),
    ...chain.clocks.map(({ what, where }) => `  clock       ${what} (${where})`),
    ...hashes,
    ...notProven(log),
  ];
}

/** In the first line, for who reads no further: it fits, and whose word it is nobody has shown. */
function byNobody({ statements: { unsigned } }: LogReport): string {
  if (unsigned.length === 0) return '';
  const what = unsigned.length === 1 ? '1 entry' : `${unsigned.length} entries`;
  return `, but NOT PROVEN BY WHOM: no key on record has signed ${what} (--signers F holds it to a list)`;
}

function findingLine({ code, what, where, index, eventId }: Finding): string {
  const at = index === undefined ? [] : [`index ${index}`];
  const of = eventId === undefined ? [] : [`event ${eventId}`];
  return `  ${code}: ${what} (${[where, ...at, ...of].join(', ')})`;
}

function logLines({ checkpoint, key, policy, witnesses, proven, seal }: LogReport): string[] {
  if (checkpoint === undefined || key === undefined)
    return ['  the log     has nothing to say of it in this bag'];
  const { origin, size } = checkpoint;
  const seen = witnesses.map(({ name, time }) => `${ascii(name)} at ${timeText(time)}`).join(', ');
  return [
    `  ${proven} entries stand in the log ${ascii(origin)} of ${size} leaves, under its signature`,
    `  key         ${ascii(key.vkey)}${fromBag(key)}`,
    `  witnesses   ${seen || 'none'}; the policy wants ${policy?.quorum}${fromBag(policy)}`,
    ...(seal === undefined
      ? []
      : [`  sealed by   key ${seal.submitter.keyHash}${fromBag(seal.submitter)}`]),
  ];
}

/** Who captured and stored, by keys of their own. */
function statementLines({ statements: { signed, signers } }: LogReport): readonly string[] {
  if (signed === 0) return [];
  const by = signers.map((one) => `${ascii(one.service)} ${one.publicKey}${fromBag(one)}`);
  return [
    `  ${signed} entries are signed by who captured or stored what they name`,
    ...by.map((line, at) => `  ${at === 0 ? 'signed by   ' : '            '}${line}`),
  ];
}

function upTo({ upTo }: { readonly upTo: 'seal' | 'end' }): string {
  return upTo === 'seal' ? 'up to its seal it' : 'all of it';
}

/** The bracket: what an authority that is not the log has seen, and what follows for the chain. */
function timeLines({ time }: LogReport): string[] {
  if (time === undefined) return [];
  const { after, before } = time;
  const bag = fromBag(time);
  const lines = [
    ...(after === undefined
      ? []
      : [`came into the log after ${after.at.toISOString()}, by ${after.authority}${bag}`]),
    ...(before === undefined
      ? []
      : [
          `${upTo(before)} existed before ${before.at.toISOString()}, by ${before.authority}${bag}`,
        ]),
  ];
  return lines.map((line, at) => `  ${at === 0 ? 'time        ' : '            '}${line}`);
}

/** Up to which of its entries a chain is whole by the root over the heads of all chains. */
function headsLines({ heads, proven }: LogReport): string[] {
  if (heads === undefined || heads.entries === 0n) return [];
  const { entries, size, recordedAt } = heads;
  const all = BigInt(proven) === entries ? `all of its ${proven}` : `${entries} of its ${proven}`;
  const what = `${all} entries were there among the first ${size} leaves, and no others of it`;
  return [`  heads       ${what}; on record at ${recordedAt}`];
}

const NAME_BYTES_MAX = 2_048;

/** A name that only looks like another one is spelled out. */
function ascii(name: string): string {
  return printable(Buffer.from(name), NAME_BYTES_MAX);
}

function fromBag(of: { readonly from: string } | undefined): string {
  return of?.from === 'bag' ? ' (from the bag)' : '';
}

function timeText(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1_000);
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString();
}

/** Where one operator's word is enough, the others in a policy add nothing to it. */
function aloneLines({ alone, witnesses, checkpoint }: LogReport): readonly string[] {
  if (alone.length === 0 || witnesses.length === 0) return [];
  const own = operatorOfLog(checkpoint?.origin ?? '');
  const names = alone.map((one) => (one === own ? `${ascii(one)}, who runs the log` : ascii(one)));
  return [`more than the word of ${names.join(' or of ')}: enough alone by this policy;`];
}

/** Where only the ledger says who captured or stored, or a key came without the word of another. */
function unsignedLines({ statements: { unsigned, signers } }: LogReport): readonly string[] {
  const services = [...new Set(unsigned.map(({ service }) => service))];
  const nobody = services.map((service) => {
    const entries = unsigned.filter((one) => one.service === service).map(({ acqSeq }) => acqSeq);
    return `that ${ascii(service)} said entry ${entries.join(', ')}: no key on record has signed it;`;
  });
  const unvouched = signers.filter((one) => one.unvouched);
  return [
    ...nobody,
    ...unvouched.map(
      ({ service, publicKey }) =>
        `whose ${publicKey} is: the key of ${ascii(service)} before it has not vouched for it;`,
    ),
  ];
}

/** What came behind the root over heads, and below the checkpoint, is in no head. */
function endNotProven({ heads, proven, checkpoint }: LogReport): readonly string[] {
  if (heads === undefined || heads.entries === 0n) {
    return ['that nothing was left out at the end: no root over heads covers it;'];
  }
  const { size, index, entries } = heads;
  if (size === index && checkpoint?.size === index + 1n) return [];
  const between = `between ${size} and ${checkpoint?.size} leaves of the log`;
  return [`that nothing was left out behind entry ${entries} of ${proven}, ${between};`];
}

function notProven(log: LogReport): readonly string[] {
  const { key, witnesses, time: stamped } = log;
  const when = stamped?.before === undefined && witnesses.length === 0;
  const time = [
    ...(when ? ['when it was;'] : []),
    ...(witnesses.length === 0 ? ['that the log showed everybody the same;'] : []),
  ];
  const own =
    'whose keys these are: name them with --vkey, --policy, --submitter, --signers, --tsa;';
  const lines = [
    ...time,
    ...aloneLines(log),
    ...(key?.from === 'given' ? [] : [own]),
    ...unsignedLines(log),
    ...endNotProven(log),
    'that what was collected is true, or that all that happened came to the log.',
  ];
  return [
    ...lines.map((line, at) => `  ${at === 0 ? 'not proven: ' : '            '}${line}`),
    '  Compare both hashes with those that impound export printed when it was written.',
  ];
}
