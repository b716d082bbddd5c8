// SPDX-License-Identifier: Apache-2.0
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, Never } from '@impound/runtime/fault.ts';
import { fromBase64 } from '@impound/transparency/base64.ts';
import { fromDecimal } from '@impound/transparency/decimal.ts';
import * as z from 'zod';
import type { Seen } from './judge.ts';

/** What is kept of a log: what it must grow from, and the note as whoever watches may fetch it. */
export interface Remembered extends Seen {
  readonly note: string;
}

/** The memory of a witness. */
export interface State {
  of(origin: string): Remembered | undefined;
  /** On disk when it resolves. One call at a time. */
  remember(origin: string, checkpoint: Remembered): Promise<void>;
}

const Size = z.string().refine((text) => fromDecimal(text) !== undefined, 'a size');
const Root = z.string().refine((text) => fromBase64(text)?.length === 32, '32 bytes in base64');
const Whole = z.object({
  v: z.literal(1),
  logs: z.record(z.string(), z.object({ size: Size, root: Root, note: z.string() })),
});

/** Makes the file of a witness that has seen nothing yet. Rejects where there is one. */
export async function makeStateFile(path: string): Promise<void> {
  await writeFile(path, textOf(new Map()), { flag: 'wx', mode: 0o600 });
  await syncDirectory(path);
}

/**
 * Opens the memory of a witness. Never makes the file: a witness without memory would cosign a log
 * that was rolled back, so that it is new must be somebody's decision.
 */
export async function openStateFile(path: string): Promise<State> {
  let written = await readFile(path, 'utf8').catch((cause) => {
    const because = `${path}: ${messageOf(cause)}; \`init\` makes a new one, which has seen nothing`;
    throw new Never('state-missing', because, { cause });
  });
  const logs = parse(path, written);
  return {
    of: (origin) => logs.get(origin),
    remember: async (origin, checkpoint) => {
      const next = textOf(new Map(logs).set(origin, checkpoint));
      await unchanged(path, written);
      await replace(path, next);
      written = next;
      logs.set(origin, checkpoint);
    },
  };
}

function parse(path: string, text: string): Map<string, Remembered> {
  try {
    const { logs } = Whole.parse(JSON.parse(text));
    return new Map(
      Object.entries(logs).map(([origin, { size, root, note }]) => {
        return [origin, { size: BigInt(size), root: Buffer.from(root, 'base64'), note }];
      }),
    );
  } catch (cause) {
    const because = `${path} is no state of a witness: restore it as it was last written`;
    throw new Never('state-malformed', because, { cause });
  }
}

function textOf(logs: ReadonlyMap<string, Remembered>): string {
  const entries = [...logs].map(([origin, { size, root, note }]) => {
    return [origin, { size: String(size), root: root.toString('base64'), note }];
  });
  return `${JSON.stringify({ v: 1, logs: Object.fromEntries(entries) }, undefined, 1)}\n`;
}

/** Two processes on one file would each forget what the other has seen. */
async function unchanged(path: string, written: string): Promise<void> {
  if ((await readFile(path, 'utf8')) === written) return;
  throw new Never('state-changed', `${path} was written by another process: only one may run`);
}

async function replace(path: string, text: string): Promise<void> {
  const next = `${path}.next`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
  await syncDirectory(path);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
