// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { readSmallFile } from '@impound/evidence/small-file.ts';
import type { Trust } from '@impound/evidence/verify-log.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { NOTE_BYTES_MAX, verifyNote } from '@impound/transparency/note.ts';
import type { Policy } from '@impound/transparency/policy.ts';
import { verifyConsistency } from '@impound/transparency/proof-check.ts';
import { ProofFault } from '@impound/transparency/proof-fault.ts';
import { parseTlogProof, verifyTlogProof } from '@impound/transparency/tlog-proof.ts';
import { parseVkey, type Vkey } from '@impound/transparency/vkey.ts';
import { readAddCheckpoint } from '@impound/witness/request.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { knownNotes, trustOf } from '../trust.ts';
import { exitOf } from '../verdict.ts';

const FORM = /\.(tlog-proof|spicy)$/;
const ENTRY_BYTES_MAX = 65_535;
const PROOF_BYTES_MAX = NOTE_BYTES_MAX + 8_192;

/** What a proof that a log has only grown is kept in: the request of C2SP tlog-witness. */
export const GROWTH = '.consistency';

/** Whether what is to be verified are proofs in files. */
export function areProofs(positionals: readonly string[]): boolean {
  if (positionals.length === 1 && positionals[0]?.endsWith(GROWTH)) return true;
  return positionals.length > 0 && positionals.every((file) => FORM.test(file));
}

/** Checks proofs without any platform: each entry stands in a log that its key has signed. */
export async function verifyProofs(here: Here): Promise<number> {
  const { args, printer } = here;
  const trust = await trustOf(args);
  const [first = ''] = args.positionals;
  if (first.endsWith(GROWTH)) return await verifyGrowth(here, first, trust);
  const findings: { code: string; what: string; where: string }[] = [];
  for (const file of args.positionals) {
    const found = await checked(file, trust);
    printer.value('proven', { file, ...found });
    if (found.ok) printer.line(`proven: ${file}: entry ${found.index} of ${found.size}`);
    else {
      findings.push({ ...found, where: file });
      printer.line(`NOT PROVEN: ${found.code}: ${found.what} (${file})`);
    }
  }
  const { key, policy } = trust;
  if (key === undefined) printer.line('  by the key that lies beside the proof: give --vkey KEY');
  if (policy === undefined) printer.line('  that witnesses have signed was not asked: --policy F');
  printer.line('  not proven: that what the entry says is true, nor that nothing was left out');
  return exitOf(findings);
}

type Checked =
  | { readonly ok: true; readonly index: string; readonly size: string }
  | { readonly ok: false; readonly code: string; readonly what: string };

async function checked(file: string, { key, policy }: Trust): Promise<Checked> {
  const vkey = key ?? (await besideKey(file));
  const [bytes, entry] = await Promise.all([
    readNeeded(file, PROOF_BYTES_MAX),
    readNeeded(file.replace(FORM, ''), ENTRY_BYTES_MAX),
  ]);
  try {
    const witnesses = policy?.witnesses.flatMap((one) => one.vkey ?? []) ?? [];
    const proof = parseTlogProof(bytes);
    const { size, verified } = verifyTlogProof(proof, entry, [vkey, ...witnesses]);
    if (policy !== undefined && !isEnough(policy, new Set(verified.map((one) => one.key.name)))) {
      const what = `fewer witnesses have signed than ${policy.quorum} wants`;
      return { ok: false, code: 'quorum-unmet', what };
    }
    return { ok: true, index: String(proof.index), size: String(size) };
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    return { ok: false, code: error.code, what: error.message };
  }
}

function isEnough(policy: Policy, signed: ReadonlySet<string>): boolean {
  const those = policy.witnesses.filter(({ vkey }) => vkey !== undefined && signed.has(vkey.name));
  return policy.isQuorum(new Set(those.map(({ name }) => name)));
}

/** The key that `impound proof` writes beside the folder of its proofs. */
async function besideKey(file: string): Promise<Vkey> {
  const beside = join(dirname(file), '..', 'log.vkey');
  const text = (await readNeeded(beside, ENTRY_BYTES_MAX)).toString('utf8');
  try {
    return parseVkey(text.replace(/\n$/, ''));
  } catch (cause) {
    throw new Exit(EXIT.usage, `${beside} is no key: give --vkey KEY`, { cause });
  }
}

async function readNeeded(file: string, bytesMax: number): Promise<Buffer> {
  return await readSmallFile(file, bytesMax).catch((cause: NodeJS.ErrnoException) => {
    throw new Exit(EXIT.usage, `${file} cannot be read: ${cause.code ?? cause.message}`, { cause });
  });
}

/** That the log of a checkpoint that somebody keeps became the one of the file, by its growth. */
async function verifyGrowth(
  { args, printer }: Here,
  file: string,
  { key }: Trust,
): Promise<number> {
  const [kept, ...more] = await knownNotes(args);
  if (key === undefined || kept === undefined || more.length > 0) {
    const what = 'is verified by --vkey KEY from the checkpoint that --known F names';
    throw new Exit(EXIT.usage, `${file} ${what}`);
  }
  const to = readAddCheckpoint(await readNeeded(file, PROOF_BYTES_MAX));
  if (to === undefined) throw new Exit(EXIT.usage, `${file} holds no proof of consistency`);
  try {
    const from = openCheckpoint(kept.bytes, [key]);
    verifyNote(to.note, [key]);
    verifyConsistency({ from, to: to.checkpoint, path: to.path });
    printer.value('proven', { file, ok: true, from: String(from.size) });
    printer.line(`proven: of ${to.checkpoint.size} leaves the first ${from.size} are those known`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ProofFault)) throw error;
    printer.value('proven', { file, ok: false, code: error.code, what: error.message });
    printer.line(`NOT PROVEN: ${error.code}: ${error.message} (${file})`);
    return exitOf([error]);
  }
}
