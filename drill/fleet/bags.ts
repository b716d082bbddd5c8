// SPDX-License-Identifier: Apache-2.0
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readArguments } from '../../cli/src/arguments.ts';
import { exportBag } from '../../cli/src/commands/export.ts';
import { verify } from '../../cli/src/commands/verify.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import type { Printer } from '../../cli/src/printer.ts';
import type { Fleet } from './fleet.ts';

/** Exports a sealed acquisition and has `impound verify` check it; gives what it did not like. */
export async function judgeBag(
  fleet: Pick<Fleet, 'directory' | 'client'>,
  acquisitionId: string,
  signal: AbortSignal,
): Promise<string[]> {
  const directory = join(fleet.directory, 'bags', acquisitionId);
  const lines: string[] = [];
  const printer: Printer = {
    line: (text) => void lines.push(text),
    doing: () => undefined,
    value: () => undefined,
    error: (text) => void lines.push(text),
    json: false,
  };
  try {
    await mkdir(dirname(directory), { recursive: true });
    const it = { client: fleet.client, acquisitionId, directory, purpose: 'a drill', printer };
    await exportBag(it, signal);
    const here = { args: readArguments(['verify', directory]), printer, env: {} };
    const code = await verify(here as never, signal);
    return code === EXIT.ok ? [] : [`${acquisitionId}: ${lines.join(' ')}`];
  } catch (error) {
    return [`${acquisitionId}: its bag was not written: ${String(error)}`];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
