// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BagFile, writeBagFile } from './bag-file.ts';
import {
  BAGIT_TXT,
  type BagCapture,
  bagInfo,
  CHAIN,
  CHECKSUMS,
  type CustodyTexts,
  PAYLOAD_MANIFEST,
  REPORTS,
  readme,
  TAG_MANIFEST,
} from './bag-text.ts';
import { checksumLine, checksumList } from './checksum-list.ts';
import { CUSTODY_FOLDERS, type CustodyLog, custodyFiles, HEADS_ENTRY } from './custody-log.ts';
import { EvidenceFault } from './fault.ts';
import { fileStream } from './file-stream.ts';
import { splitLines } from './lines.ts';
import { CAPTURE_NAMES } from './manifest.ts';

const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;
const OBJECTS_MAX = 64;
const CHAIN_ENTRIES_MAX = 30_000;
const BATCH_BYTES = 256 * 1_024;

/** One stored object on its way into a bag. */
export interface BagObject {
  /** Its name in data/, e.g. `evidence.tar.zst`. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly content: AsyncIterable<Uint8Array>;
}

/** What goes into a bag. */
export interface BagContent {
  readonly objects: readonly BagObject[];
  /** The entries of the chain, each the exact bytes that were hashed and a newline. */
  readonly chain: AsyncIterable<Uint8Array>;
  /** What the log says of this chain, asked once the chain is whole: its bytes, entry by entry. */
  readonly log?: (chain: readonly Buffer[]) => Promise<CustodyLog>;
  /** The chain told for people and their tools, with the place of each entry where it is known. */
  readonly reports?: (chain: readonly Buffer[], log?: CustodyLog) => readonly BagReportFile[];
  /** For bag-info.txt, e.g. External-Identifier, Bagging-Date (RFC 8493 section 2.2.2). */
  readonly info: BagInfo | ((chain: readonly Buffer[]) => BagInfo);
}

type BagInfo = Readonly<Record<string, string>>;

/** A file of custody/reports/ by its name there. */
export interface BagReportFile {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** A bag that was written; `sha256` is that of tagmanifest-sha256.txt and so covers all of it. */
export interface WrittenBag {
  readonly sha256: string;
  readonly payload: { readonly files: number; readonly bytes: number };
}

/**
 * Writes a BagIt 1.0 bag into a directory that is not there yet; nothing is left where it fails.
 * Rejects with EvidenceFault `bag-exists`, `bag-refused`, or `object-mismatch` where an object is
 * not what the store said it is.
 */
export async function writeBag(
  directory: string,
  content: BagContent,
  signal: AbortSignal,
): Promise<WrittenBag> {
  checkNames(content);
  await mkdir(directory, { mode: 0o700 }).catch((cause: unknown) => {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
    if (!exists) throw cause;
    throw new EvidenceFault('bag-exists', 'the directory exists: name a new one', { cause });
  });
  try {
    return await fill(directory, content, signal);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function checkNames({ objects }: BagContent): void {
  const names = new Set(objects.map(({ name }) => name));
  const good = objects.every(({ name }) => NAME.test(name) && `data/${name}` !== CHECKSUMS);
  if (good && names.size === objects.length && objects.length <= OBJECTS_MAX) return;
  const message = `a bag holds up to ${OBJECTS_MAX} objects with lower-case names of their own`;
  throw new EvidenceFault('bag-refused', message);
}

async function fill(
  directory: string,
  content: BagContent,
  signal: AbortSignal,
): Promise<WrittenBag> {
  const write: Write = (path, bytes) => {
    const chunks = typeof bytes === 'string' ? [Buffer.from(bytes)] : bytes;
    return writeBagFile({ directory, path }, chunks, signal);
  };
  await mkdir(join(directory, 'data'));
  await mkdir(join(directory, 'custody'));
  const payload: BagFile[] = [];
  for (const object of content.objects) {
    payload.push(held(object, await write(`data/${object.name}`, object.content)));
  }
  const chain = await write(CHAIN, content.chain);
  const entries = await readChain(directory);
  const custody = await writeCustody({ directory, entries }, content, write);
  const captures = capturesOf(content.objects.map(({ name }) => name));
  const checksums = await write(CHECKSUMS, listOf(directory, captures));
  payload.push(checksums);
  const bytes = payload.reduce((sum, file) => sum + file.bytes, 0);
  const files = payload.length;
  const tags = [
    await write('bagit.txt', BAGIT_TXT),
    await write('bag-info.txt', bagInfo(infoOf(content, entries), { bytes, files })),
    await write('README.txt', readme(captures, checksums.bytes, textsOf(custody))),
    ...[chain, ...custody],
    await write(PAYLOAD_MANIFEST, manifestOf(payload)),
  ];
  const { sha256 } = await write(TAG_MANIFEST, manifestOf(tags));
  return { sha256, payload: { files, bytes } };
}

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | string;
type Write = (path: string, bytes: Bytes) => Promise<BagFile>;

function infoOf({ info }: BagContent, chain: readonly Buffer[]): BagInfo {
  return typeof info === 'function' ? info(chain) : info;
}

async function writeCustody(
  of: { readonly directory: string; readonly entries: readonly Buffer[] },
  { log, reports }: BagContent,
  write: Write,
): Promise<readonly BagFile[]> {
  const { directory, entries } = of;
  const written: BagFile[] = [];
  const said = await log?.(entries);
  if (said !== undefined) {
    for (const name of CUSTODY_FOLDERS) await mkdir(join(directory, 'custody', name));
    for (const { name, bytes } of custodyFiles(said, entries)) {
      written.push(await write(`custody/${name}`, [bytes]));
    }
  }
  if (reports !== undefined) await mkdir(join(directory, REPORTS));
  for (const { name, content } of reports?.(entries, said) ?? []) {
    written.push(await write(`${REPORTS}/${name}`, content));
  }
  return written;
}

async function readChain(directory: string): Promise<readonly Buffer[]> {
  const chain: Buffer[] = [];
  for await (const { bytes } of splitLines(fileStream(join(directory, CHAIN)))) {
    chain.push(bytes.subarray(0, -1));
    if (chain.length <= CHAIN_ENTRIES_MAX) continue;
    const message = `a bag holds a chain of up to ${CHAIN_ENTRIES_MAX} entries`;
    throw new EvidenceFault('bag-refused', message);
  }
  return chain;
}

function textsOf(custody: readonly BagFile[]): CustodyTexts {
  const paths = custody.map(({ path }) => path);
  const has = (name: string) => paths.includes(`custody/${name}`);
  const time = (['after', 'before'] as const).filter((one) => has(`time/${one}.tsr`));
  const statements = paths.some((path) => path.startsWith('custody/statements/'));
  const heads = has(HEADS_ENTRY);
  const seal = has('seal/seal.proof');
  const log = has('checkpoint') ? { seal, time, statements, heads } : undefined;
  return { log, reports: paths.filter((path) => path.startsWith(`${REPORTS}/`)) };
}

function held(object: BagObject, file: BagFile): BagFile {
  if (file.bytes === object.bytes && file.sha256 === object.sha256) return file;
  const came = `${file.bytes} bytes with SHA-256 ${file.sha256}`;
  const expected = `${object.bytes} bytes with ${object.sha256}`;
  const message = `${object.name}: ${came} came where the store promised ${expected}`;
  throw new EvidenceFault('object-mismatch', message);
}

/** The captures whose two objects are both among these names. */
export function capturesOf(names: readonly string[]): BagCapture[] {
  return Object.values(CAPTURE_NAMES).filter(
    ({ archive, manifest }) => names.includes(archive) && names.includes(manifest),
  );
}

/** The text of data/sha256sums.txt for the captures in a bag. */
export async function* listOf(
  directory: string,
  captures: readonly BagCapture[],
): AsyncGenerator<Buffer> {
  let batch: Buffer[] = [];
  let held = 0;
  for (const { manifest } of captures) {
    for await (const line of checksumList(fileStream(join(directory, 'data', manifest)))) {
      batch.push(line);
      held += line.length;
      if (held < BATCH_BYTES) continue;
      yield Buffer.concat(batch);
      batch = [];
      held = 0;
    }
  }
  yield Buffer.concat(batch);
}

function manifestOf(files: readonly BagFile[]): string {
  return Buffer.concat(
    files.map(({ sha256, path }) => checksumLine(sha256, Buffer.from(path))),
  ).toString();
}
