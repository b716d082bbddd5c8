// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs one program in the project's root with our terminal, and gives its exit code. */
export async function step(file: string, args: readonly string[]): Promise<number> {
  const child = spawn(file, args, { cwd: ROOT, stdio: 'inherit' });
  const pass = (name: NodeJS.Signals) => child.kill(name);
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, pass);
  try {
    const [code] = await once(child, 'exit');
    return code ?? 1;
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, pass);
  }
}
