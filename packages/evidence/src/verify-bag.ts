// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { capturesOf, listOf } from './bag.ts';
import { type BagFile, listBag, readBagFile } from './bag-file.ts';
import { BAGIT_TXT, CHAIN, CHECKSUMS, PAYLOAD_MANIFEST, TAG_MANIFEST } from './bag-text.ts';
import { fileStream } from './file-stream.ts';
import { type Finding, type FindingLog, findingLog } from './finding.ts';
import { type Line, splitLines } from './lines.ts';
import { CAPTURE_NAMES } from './manifest.ts';
import { printable, refusalOf } from './path-bytes.ts';
import { type CaptureReport, verifyCapture } from './verify.ts';

const ENTRIES_MAX = 100_000;
const PATH_CHARACTERS_MAX = 4_096;
const TAG_BYTES_MAX = 256 * 1_024;
const REQUIRED = ['bagit.txt', 'bag-info.txt', CHAIN, PAYLOAD_MANIFEST, CHECKSUMS];
const LINE = /^([0-9a-f]{64}) [ *](.+)$/;

/** What verifying a bag showed. It is whole and says what it said only if `ok`. */
export interface BagReport {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly findingsLeftOut: number;
  /** SHA-256 of tagmanifest-sha256.txt, which covers the whole bag; to compare with a known one. */
  readonly sha256: string | undefined;
  /** SHA-256 of each file in data/ by its name there, without the list of checksums. */
  readonly payload: ReadonlyMap<string, string>;
  /** Each capture's report by the name of its archive; `findings` above has theirs too. */
  readonly captures: ReadonlyMap<string, CaptureReport>;
}

type Listed = ReadonlyMap<string, string>;

interface Bag {
  readonly directory: string;
  readonly found: Map<string, BagFile>;
  readonly log: FindingLog;
}

/**
 * Checks a bag: nothing missing, nothing extra, every digest, and every capture inside. Whether
 * the entries of custody/chain.jsonl follow from each other is the ledger's verifier to say.
 * Rejects only when the signal aborts.
 */
export async function verifyBag(directory: string, signal: AbortSignal): Promise<BagReport> {
  const log = findingLog();
  const bag: Bag = { directory, found: await hashAll(directory, log, signal), log };
  const payload = await readManifest(bag, PAYLOAD_MANIFEST, signal);
  const tags = await readManifest(bag, TAG_MANIFEST, signal);
  compare(bag, new Map([...payload, ...tags]));
  for (const path of payload.keys()) {
    if (!path.startsWith('data/')) log.add('bag-invalid', 'the payload lies in data/', shown(path));
  }
  await checkDeclaration(bag, signal);
  await checkOxum(bag, signal);
  const captures = await checkCaptures(bag, signal);
  const { findings } = log;
  const findingsLeftOut = log.leftOut();
  const sha256 = bag.found.get(TAG_MANIFEST)?.sha256;
  const ok = findings.length === 0;
  return { ok, findings, findingsLeftOut, sha256, payload: payloadOf(bag), captures };
}

function payloadOf({ found }: Bag): ReadonlyMap<string, string> {
  const files = [...found.values()].filter(
    ({ path }) => path.startsWith('data/') && path !== CHECKSUMS,
  );
  return new Map(files.map(({ path, sha256 }) => [path.slice('data/'.length), sha256]));
}

async function hashAll(
  directory: string,
  log: FindingLog,
  signal: AbortSignal,
): Promise<Map<string, BagFile>> {
  const found = new Map<string, BagFile>();
  try {
    const listing = await listBag(directory, ENTRIES_MAX, signal);
    for (const path of listing.refused) {
      log.add('bag-file-refused', 'neither file nor directory: it may lead outside', shown(path));
    }
    if (listing.cut) log.add('limit-exceeded', `more than ${ENTRIES_MAX} entries`, 'bag');
    for (const path of listing.files) {
      found.set(path, await readBagFile({ directory, path }, signal));
    }
  } catch (error) {
    log.caught(error, 'bag', signal);
  }
  return found;
}

/** The files that a manifest of the bag lists (RFC 8493 section 2.1.3). */
async function readManifest(bag: Bag, name: string, signal: AbortSignal): Promise<Listed> {
  const listed = new Map<string, string>();
  try {
    for await (const line of splitLines(fileStream(join(bag.directory, name)))) {
      const problem = take(line, listed);
      if (problem !== undefined) bag.log.add('bag-invalid', problem, `${name} line ${line.number}`);
      if (listed.size > ENTRIES_MAX) break;
    }
  } catch (error) {
    bag.log.caught(error, name, signal);
  }
  return listed;
}

/** Notes the file of a line; otherwise says what is wrong with the line. */
function take(line: Line, listed: Map<string, string>): string | undefined {
  const text = line.bytes.toString().replace(/\r?\n$/, '');
  const [, sha256 = '', written = ''] = LINE.exec(text) ?? [];
  if (written === '' || written.length > PATH_CHARACTERS_MAX) return 'no digest and path';
  const path = decoded(written);
  const refusal = refusalOf(Buffer.from(path));
  if (refusal !== undefined || listed.has(path)) return refusal ?? 'listed twice';
  listed.set(path, sha256);
  return undefined;
}

/** RFC 8493 section 2.1.3: CR, LF and the percent sign are percent-encoded in a path. */
function decoded(path: string): string {
  return path.replace(/%(0A|0D|25)/gi, (encoded) => decodeURIComponent(encoded));
}

function compare(bag: Bag, listed: Listed): void {
  const { found, log } = bag;
  for (const [path, sha256] of listed) compareFile(bag, path, sha256);
  for (const path of REQUIRED.filter((one) => !listed.has(one))) {
    log.add('bag-invalid', 'no manifest of the bag lists it', path);
  }
  for (const path of found.keys()) {
    if (listed.has(path) || path === TAG_MANIFEST) continue;
    log.add('bag-file-extra', 'there, but not listed', shown(path));
  }
}

function compareFile({ found, log }: Bag, path: string, sha256: string): void {
  const file = found.get(path);
  if (file === undefined) log.add('bag-file-missing', 'listed, but not there', shown(path));
  else if (file.sha256 !== sha256) {
    log.add('bag-file-mismatch', `SHA-256 ${file.sha256}, listed ${sha256}`, shown(path));
  }
}

async function checkDeclaration(bag: Bag, signal: AbortSignal): Promise<void> {
  const text = await smallText(bag, 'bagit.txt', signal);
  if (text !== BAGIT_TXT) {
    bag.log.add('bag-invalid', 'it does not declare BagIt 1.0 in UTF-8', 'bagit.txt');
  }
}

/** Payload-Oxum: octets and files of the payload (RFC 8493 section 2.2.2). */
async function checkOxum(bag: Bag, signal: AbortSignal): Promise<void> {
  const info = (await smallText(bag, 'bag-info.txt', signal)) ?? '';
  const payload = [...bag.found.values()].filter(({ path }) => path.startsWith('data/'));
  const bytes = payload.reduce((sum, file) => sum + file.bytes, 0);
  const says = info.split('\n').filter((line) => line.startsWith('Payload-Oxum:'));
  const is = `Payload-Oxum: ${bytes}.${payload.length}`;
  if (says.length === 1 && says[0] === is) return;
  bag.log.add('bag-invalid', `the payload gives ${is}, which it does not say`, 'bag-info.txt');
}

/** The text of a tag file, at most TAG_BYTES_MAX and what came with it. */
async function smallText(bag: Bag, path: string, signal: AbortSignal): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of fileStream(join(bag.directory, path))) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > TAG_BYTES_MAX) break;
    }
  } catch (error) {
    bag.log.caught(error, path, signal);
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

async function checkCaptures(
  bag: Bag,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CaptureReport>> {
  const reports = new Map<string, CaptureReport>();
  const names = [...bag.found.keys()].map((path) => path.slice('data/'.length));
  for (const half of Object.values(CAPTURE_NAMES).flatMap(halves(names))) {
    bag.log.add('object-missing', 'a capture is an archive and its manifest', `data/${half}`);
  }
  const captures = capturesOf(names);
  for (const { archive, manifest } of captures) {
    const stream = (name: string) => fileStream(join(bag.directory, 'data', name));
    const report = await verifyCapture(
      { archive: stream(archive), manifest: stream(manifest) },
      signal,
    );
    reports.set(archive, report);
    for (const { code, what, where } of report.findings) {
      bag.log.add(code, what, `data/${archive}: ${where}`);
    }
    if (report.header !== undefined && report.header.archive !== archive) {
      bag.log.add('manifest-mismatch', 'it is the manifest of another archive', `data/${manifest}`);
    }
  }
  await checkList(bag, captures, signal);
  return reports;
}

/** The names that are missing where one of a pair is there. */
function halves(names: readonly string[]) {
  return ({ archive, manifest }: { archive: string; manifest: string }): string[] => {
    const missing = [archive, manifest].filter((name) => !names.includes(name));
    return missing.length === 1 ? missing : [];
  };
}

async function checkList(
  bag: Bag,
  captures: ReturnType<typeof capturesOf>,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of listOf(bag.directory, captures)) hash.update(chunk);
  } catch (error) {
    bag.log.caught(error, CHECKSUMS, signal);
  }
  const found = bag.found.get(CHECKSUMS)?.sha256;
  if (found === undefined || found === hash.digest('hex')) return;
  bag.log.add('checksum-list-mismatch', 'it is not the list that the manifests give', CHECKSUMS);
}

function shown(path: string): string {
  return printable(Buffer.from(path));
}
