// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Entry } from '@impound/contracts/entry.ts';
import { type CustodyLog, custodyFiles, entryName } from '@impound/evidence/custody-log.ts';
import { openCheckpoint, parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { parseNote } from '@impound/transparency/note.ts';
import { verifyConsistency } from '@impound/transparency/proof-check.ts';
import { ProofFault } from '@impound/transparency/proof-fault.ts';
import { parseVkey } from '@impound/transparency/vkey.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { logProofs, newestOf } from '../log-proofs.ts';
import { save } from '../new-file.ts';
import { knownCheckpoints } from '../trust.ts';
import { idOf } from './look.ts';
import { reachRecords } from './reach.ts';
import { GROWTH } from './verify-proof.ts';

/** Writes proofs of the log: of one entry, of a whole acquisition, or that it has only grown. */
export async function proof(here: Here, signal: AbortSignal): Promise<number> {
  const out = here.args.needed('out');
  if (here.args.positionals.length === 0) return await grown(here, out, signal);
  const acquisitionId = idOf(here);
  const wanted = wantedOf(here);
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const { body } = await client.stream(`/v1/acquisitions/${acquisitionId}/chain`);
  const lines = Buffer.concat(await Array.fromAsync(body ?? []))
    .toString('utf8')
    .split('\n');
  const chain = lines.filter((line) => line !== '').map((line) => Buffer.from(line));
  const log = await logProofs(client, { acquisitionId, entries: chain.length }, signal);
  const isIn = filesOf(wanted, { chain, log });
  const files = [...custodyFiles(log, chain)].filter(({ name }) => isIn(name));
  await makeNew(out);
  for (const { name, bytes } of files) {
    await mkdir(dirname(join(out, name)), { recursive: true, mode: 0o700 });
    await writeFile(join(out, name), bytes, { flag: 'wx', mode: 0o600 });
  }
  const proofs = files.map(({ name }) => name).filter((name) => name.endsWith('.tlog-proof'));
  here.printer.value('proof', { directory: out, proofs });
  here.printer.line(`wrote ${proofs.length} proofs to ${out}`);
  here.printer.line(`  next  impound verify --vkey KEY ${join(out, 'entries')}/*.tlog-proof`);
  return EXIT.ok;
}

/** Which entry is wanted; nothing: all of them. */
interface Wanted {
  readonly event?: string | undefined;
  readonly index?: string | undefined;
  readonly seal: boolean;
}

function wantedOf({ args }: Here): Wanted {
  const wanted = { event: args.text('event'), index: args.text('index'), seal: args.flag('seal') };
  const given = Object.values(wanted).filter((one) => one !== undefined && one !== false);
  if (given.length <= 1) return wanted;
  throw new Exit(EXIT.usage, 'proof takes one of --event, --index and --seal');
}

/** The files of custody/ that prove what is wanted. Throws Exit where it is not there. */
function filesOf(
  { event, index, seal }: Wanted,
  { chain, log }: { readonly chain: readonly Buffer[]; readonly log: CustodyLog },
): (name: string) => boolean {
  if (event === undefined && index === undefined && !seal) return () => true;
  const at = seal
    ? (log.seal?.entry ?? -1)
    : chain.findIndex((bytes, n) =>
        event === undefined
          ? String(log.proofs[n]?.index) === index
          : Entry.parse(JSON.parse(String(bytes))).event.id === event,
      );
  if (at < 0) {
    const what = seal ? 'no seal' : `no entry ${event ?? `at ${index} of the log`}`;
    throw new Exit(EXIT.failed, `this acquisition has ${what}; impound show tells what it has`);
  }
  const own = entryName(at + 1);
  return (name) => {
    if (name.startsWith('entries/')) return name.startsWith(own);
    return name.startsWith('seal/') ? seal : !name.startsWith('time/');
  };
}

async function makeNew(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'EEXIST' ? 'exists: name a new directory' : `${cause.code}`;
    throw new Exit(EXIT.failed, `--out ${directory} ${why}`, { cause });
  });
}

/** From a checkpoint that somebody keeps to the newest one, as tlog-witness has it. */
async function grown(here: Here, out: string, signal: AbortSignal): Promise<number> {
  if (!out.endsWith(GROWTH)) {
    throw new Exit(EXIT.usage, `--out ${out}: name a file that ends in ${GROWTH}`);
  }
  const known = await knownOf(here);
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const { own, key } = await newestOf(client);
  const { size } = parseCheckpoint(parseNote(Buffer.from(own)).text);
  if (size < known.size) {
    const what = `it has ${size} leaves, and the checkpoint that is known has ${known.size}`;
    throw new Exit(EXIT.history, `this log lost entries, or is another one: ${what}`);
  }
  const path = await pathOf(client, known.size, size);
  holds({ known, own, key, path });
  const hashes = path.map((hash) => `${hash.toString('base64')}\n`).join('');
  await save(out, [`old ${known.size}\n${hashes}\n${own}`], signal);
  here.printer.value('proof', { file: out, from: String(known.size), to: String(size) });
  here.printer.line(`wrote ${out}: of ${size} leaves the first ${known.size} are those known`);
  return EXIT.ok;
}

async function knownOf({ args }: Here) {
  const [known, ...more] = await knownCheckpoints(args);
  if (known !== undefined && more.length === 0) return known;
  throw new Exit(EXIT.usage, 'proof takes an acquisition, or --known F: a checkpoint; see help');
}

async function pathOf(client: Client, from: bigint, to: bigint): Promise<readonly Buffer[]> {
  const query = new URLSearchParams({ from: String(from), to: String(to) });
  const { path } = await client.get<{ path: string[] }>(`/v1/log/consistency?${query}`);
  return path.map((hash) => Buffer.from(hash, 'base64'));
}

/** What does not hold is not written. Throws Exit. */
function holds(of: {
  readonly known: ReturnType<typeof parseCheckpoint>;
  readonly own: string;
  readonly key: string;
  readonly path: readonly Buffer[];
}): void {
  try {
    const to = openCheckpoint(Buffer.from(of.own), [parseVkey(of.key)]);
    verifyConsistency({ from: of.known, to, path: of.path });
  } catch (cause) {
    if (!(cause instanceof ProofFault)) throw cause;
    const what = 'the log does not continue the checkpoint that is known';
    throw new Exit(EXIT.history, `${what}: ${cause.message}`, { cause });
  }
}
