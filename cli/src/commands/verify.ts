// SPDX-License-Identifier: Apache-2.0
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileStream } from '@impound/evidence/file-stream.ts';
import { splitLines } from '@impound/evidence/lines.ts';
import { type BagReport, verifyBag } from '@impound/evidence/verify-bag.ts';
import {
  type ChainFinding,
  type ChainReport,
  exportedObjects,
  verifyChain,
} from '@impound/evidence/verify-chain.ts';
import { chainIn } from '@impound/evidence/verify-entries.ts';
import { verifyLog } from '@impound/evidence/verify-log.ts';
import type { Here } from '../command.ts';
import { cutFindings } from '../cut-chain.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { knownNotes, trustOf } from '../trust.ts';
import { exitOf, type Finding, indexText, told, verdictLines } from '../verdict.ts';
import { areProofs, verifyProofs } from './verify-proof.ts';

/** Checks an exported bag without any platform: every byte, every link, its place in the log. */
export async function verify(here: Here, signal: AbortSignal): Promise<number> {
  if (areProofs(here.args.positionals)) return await verifyProofs(here);
  const directory = await directoryOf(here);
  const trust = { ...(await trustOf(here.args)), known: await knownNotes(here.args) };
  const bag = await verifyBag(directory, signal);
  const chain = await verifyChain(chainLines(directory));
  const log = await verifyLog(directory, { chain: chainIn(directory), trust }, signal);
  const cut = await cutFindings(here, chain, signal);
  const found = [...bag.findings, ...chain.findings, ...cut, ...differences(bag, chain)];
  const findings: readonly Finding[] = [...found, ...log.findings];
  const exitCode = exitOf(findings);
  const ok = exitCode === EXIT.ok;
  const { sha256, findingsLeftOut } = bag;
  const { head, entries, state, clocks } = chain;
  const { acquisitionId } = state;
  here.printer.value('verification', {
    ...{ ok, exitCode, acquisitionId, sha256, head, entries, clocks, log: told(log) },
    findings: findings.map((one) => ({ ...one, ...indexText(one) })),
    findingsLeftOut,
  });
  for (const line of verdictLines({ bag, chain, log, findings })) here.printer.line(line);
  return exitCode;
}

/** The directory that a command is given, where it holds a bag. Throws Exit(usage). */
export async function directoryOf({ args }: Here): Promise<string> {
  const [directory, ...more] = args.positionals;
  if (directory === undefined || more.length > 0) {
    const what = 'takes one directory: what impound export has written';
    throw new Exit(EXIT.usage, `${args.command} ${what}`);
  }
  const found = await stat(directory).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such directory' : `${cause.code}`;
    throw new Exit(EXIT.usage, `${directory}: ${why}`, { cause });
  });
  if (!found.isDirectory()) {
    throw new Exit(EXIT.usage, `${directory} is a file: name the directory of the bag`);
  }
  // One of them missing is a finding; where none is there nobody has written a bag.
  for (const name of ['bagit.txt', 'tagmanifest-sha256.txt', 'data', 'custody']) {
    if ((await lstat(join(directory, name)).catch(() => undefined)) !== undefined) return directory;
  }
  throw new Exit(EXIT.usage, `${directory} is no bag: it holds nothing that impound export writes`);
}

/** The lines of the chain in a bag. */
export async function* chainLines(directory: string): AsyncGenerator<string> {
  const file = fileStream(join(directory, 'custody', 'chain.jsonl'));
  for await (const { bytes, ended } of splitLines(file)) {
    yield bytes.subarray(0, ended ? -1 : undefined).toString('utf8');
  }
}

/** Evidence that no entry of the chain vouches for, and what the chain names but is not there. */
function differences(bag: BagReport, { state, findings }: ChainReport): readonly Finding[] {
  // Of a chain that could not be read nothing follows about the evidence.
  if (findings.some(({ code }) => UNREADABLE.includes(code))) return [];
  const named = new Map(exportedObjects(state).map((object) => [object.name, object.sha256]));
  const there = bag.payload;
  const foreign = [...there]
    .filter(([name, sha256]) => named.get(name) !== sha256)
    .map(([name]) => ({
      code: 'object-not-sealed',
      what: 'the chain of custody names no such object with this digest',
      where: `data/${name}`,
    }));
  const absent = [...named.keys()]
    .filter((name) => !there.has(name))
    .map((name) => ({
      code: 'object-missing',
      what: 'the chain of custody names it, and the bag lacks it',
      where: `data/${name}`,
    }));
  return [...foreign, ...absent];
}

const UNREADABLE: readonly ChainFinding['code'][] = ['chain-line-invalid', 'chain-unreadable'];
