// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const IMPOUND = fileURLToPath(new URL('../bin/impound.mjs', import.meta.url));

/** What a command ended with. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  /** The JSON objects of --json. */
  readonly values: readonly Record<string, unknown>[];
}

/** A command that runs. */
export interface Running {
  readonly pid: number;
  /** Resolves when this much of its output, of both streams, fits. */
  says(words: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  readonly end: Promise<Ended>;
}

/** Starts the real command line as a process of its own; nothing of it is in this one. */
export function begin(args: readonly string[], environment: Record<string, string> = {}): Running {
  const { PATH = '', NATS_SERVER = '', HOME = '/nonexistent' } = process.env;
  const env = { PATH, HOME, ...(NATS_SERVER === '' ? {} : { NATS_SERVER }), ...environment };
  const child = spawn(process.execPath, [IMPOUND, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { out: '', err: '' };
  const heard = new Set<() => void>();
  for (const [name, stream] of [['out', child.stdout] as const, ['err', child.stderr] as const]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      for (const hear of heard) hear();
    });
  }
  const end = once(child, 'close').then(() => {
    for (const hear of heard) hear();
    return { code: child.exitCode, ...text, values: valuesOf(text.out) };
  });
  return {
    pid: child.pid ?? 0,
    says: (words) => saying(words, { child, text, heard }),
    kill: (signal) => void child.kill(signal),
    end,
  };
}

interface Heard {
  readonly child: { readonly exitCode: number | null };
  readonly text: { readonly out: string; readonly err: string };
  readonly heard: Set<() => void>;
}

async function saying(words: RegExp, { child, text, heard }: Heard): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const hear = () => {
    const all = text.out + text.err;
    if (words.test(all)) resolve(all);
    else if (child.exitCode !== null) reject(new Error(`it ended without ${words}:\n${all}`));
  };
  heard.add(hear);
  hear();
  return await promise.finally(() => heard.delete(hear));
}

function valuesOf(out: string): Record<string, unknown>[] {
  if (!out.startsWith('{')) return [];
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Runs a command to its end. */
export async function impound(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> {
  return await begin(args, environment).end;
}

/** The last value of acquire or watch with --json. */
export function result({ values }: Ended): Record<string, unknown> {
  const last = values.at(-1);
  assert.equal(last?.['kind'], 'result', JSON.stringify(last));
  return last;
}

/** No command ever answers with a stack trace or a secret. */
export function clean({ out, err }: Ended, ...secrets: readonly string[]): void {
  assert.doesNotMatch(out + err, /\n {4}at |node:internal|\[object/);
  for (const secret of secrets) assert.ok(!(out + err).includes(secret), 'a secret is shown');
}
