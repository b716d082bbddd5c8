// SPDX-License-Identifier: Apache-2.0
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCollectorStream } from '../src/collector/parse.ts';
import type { CollectorRecord, ContentEnd } from '../src/collector/records.ts';
import {
  COLLECTOR_ACK,
  type CollectorParameters,
  collectorScript,
} from '../src/collector/script.ts';

export const NOBODY = 65_534;
export const AS_ROOT = process.getuid?.() === 0;

/** A shell to run the collector with, and a folder of tools to prefer. */
export interface Soil {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly tools?: string;
}

/** A record whose content has been read whole. */
export type Taken = CollectorRecord & { readonly data?: Buffer; readonly end?: ContentEnd };

/** The temporary folder of one test file, made readable for everybody and removed at the end. */
export function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'collector-'));
  execFileSync('chmod', ['755', path]);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Every shell the collector has to run in; the last one has busybox's tools and no others first,
 * and an openssl that cannot do anything.
 */
export function soils(folder: string): Soil[] {
  for (const applet of execFileSync('busybox', ['--list'], { encoding: 'utf8' }).split('\n')) {
    if (applet) symlinkSync('/bin/busybox', join(folder, applet));
  }
  symlinkSync('/bin/busybox', join(folder, 'openssl'));
  return [
    { name: 'dash', argv: ['dash'] },
    { name: 'bash', argv: ['bash'] },
    { name: 'busybox ash', argv: ['busybox', 'ash'] },
    { name: 'busybox ash and tools', argv: ['busybox', 'ash'], tools: folder },
  ];
}

/** Starts a collector; `mark` finds its processes again. */
export function start(
  soil: Soil,
  parameters: CollectorParameters,
  as: { readonly uid?: number; readonly mark?: string; readonly env?: NodeJS.Dict<string> } = {},
): ChildProcessWithoutNullStreams {
  const [command, ...rest] = soil.argv;
  const child = spawn(command, rest, {
    ...(as.uid === undefined ? {} : { uid: as.uid, gid: as.uid }),
    env: { PATH: '/usr/bin:/bin', COLLECTOR_MARK: as.mark ?? '', ...as.env },
    cwd: '/',
  });
  child.stdin.on('error', () => {});
  child.stderr.resume();
  child.stdin.write(
    collectorScript({ ...parameters, ...(soil.tools ? { tools: soil.tools } : {}) }),
  );
  return child;
}

/** Reads a collector to its end, acknowledges, and gives its records and its exit code. */
export async function finish(
  child: ChildProcessWithoutNullStreams,
  onRecord: (record: CollectorRecord) => Promise<void> = async () => {},
): Promise<{ readonly records: Taken[]; readonly exitCode: number | null }> {
  const exited = once(child, 'exit');
  const records: Taken[] = [];
  for await (const record of parseCollectorStream(child.stdout)) {
    await onRecord(record);
    const content = 'content' in record ? record.content : undefined;
    if (content) {
      const data = Buffer.concat(await Array.fromAsync(content));
      records.push({ ...record, data, end: content.end(hash('sha256', data)) });
    } else records.push(record);
    if (record.kind === 'trailer') child.stdin.write(COLLECTOR_ACK);
  }
  const [exitCode] = await exited;
  return { records, exitCode };
}

export async function collect(
  soil: Soil,
  parameters: CollectorParameters,
  as: Parameters<typeof start>[2] = {},
): Promise<Taken[]> {
  const { records, exitCode } = await finish(start(soil, parameters, as));
  if (exitCode !== 0) throw new Error(`the collector ended with ${exitCode}`);
  return records;
}

/** Ids of the processes that carry the mark in their environment. */
export function marked(mark: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').includes(`COLLECTOR_MARK=${mark}`);
    } catch {
      return false;
    }
  });
}

/** The record of one path, read whole. */
export function fileAt(records: readonly Taken[], path: string | Buffer) {
  const wanted = Buffer.from(path as Buffer);
  const found = records.filter((record) => record.kind === 'file' && record.path.equals(wanted));
  const last = found.at(-1);
  return last?.kind === 'file' ? last : undefined;
}

export function coverageOf(records: readonly Taken[], item: string) {
  const found = records.find(
    (record) => record.kind === 'coverage' && record.item.toString('latin1') === item,
  );
  return found?.kind === 'coverage' ? found : undefined;
}
