// SPDX-License-Identifier: Apache-2.0
// Who finds attacks: commands that are given public data and nothing else.
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestDatabase } from '@impound/runtime/testing/database.ts';
import { readArguments } from '../../cli/src/arguments.ts';
import type { Command } from '../../cli/src/command.ts';
import { ledger } from '../../cli/src/commands/ledger.ts';
import { report } from '../../cli/src/commands/report.ts';
import { verify } from '../../cli/src/commands/verify.ts';
import { EXIT, Exit } from '../../cli/src/exit-code.ts';
import { openPrinter } from '../../cli/src/printer.ts';

const run = promisify(execFile);
const COMMAND_MS_MAX = 280_000;
const COMMANDS: Readonly<Record<string, Command>> = { ledger, report, verify };

/** What a detector says, and what it ends with. */
export interface Verdict {
  readonly code: number;
  readonly out: string;
}

/** Runs a command of `impound` here rather than in a process of its own: there are many. */
export async function impound(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Verdict> {
  let out = '';
  const paper = { write: (more: string) => (out += more) };
  const printer = openPrinter(args.includes('--json'), paper, paper);
  const read = readArguments([...args]);
  const command = COMMANDS[read.command] as Command;
  try {
    const signal = AbortSignal.timeout(COMMAND_MS_MAX);
    return { code: await command({ args: read, printer, environment }, signal), out };
  } catch (error) {
    // As main.ts ends: whatever it was, in one sentence.
    const { message, code } = error as Error & { readonly code?: unknown };
    return { code: error instanceof Exit ? Number(code) : EXIT.failed, out: `${out}${message}\n` };
  }
}

/** `impound ledger fsck` of a database, as the role that may read and no more. */
export async function fsck(
  { server, name }: TestDatabase,
  ...args: readonly string[]
): Promise<Verdict> {
  const DATABASE_URL = server.url(name, 'ledger_verifier');
  return await impound(['ledger', 'fsck', ...args], { DATABASE_URL });
}

/** Runs a program that nobody here wrote: zero, or what it ended with and said. */
export async function program(
  name: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly input?: Buffer;
  } = {},
): Promise<Verdict> {
  const running = run(name, [...args], options);
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(options.input);
  return await running.then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout + stderr }),
    ({ code, stdout, stderr, message }) => ({
      code: Number(code ?? -1),
      out: `${stdout}${stderr}${message}`,
    }),
  );
}

/** A folder that a test may fill anew. */
export async function emptied(...path: readonly string[]): Promise<string> {
  const folder = join(...path);
  await rm(folder, { recursive: true, force: true });
  return folder;
}
