// SPDX-License-Identifier: Apache-2.0
// A machine on which nothing is but the programs that the README.txt of a bag names.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For tests that a machine without a program skips, and says so. */
export interface Skip {
  readonly skip: string | false;
}

/** Whether a program is there, or why its tests are skipped. */
export function found(name: string, from: string): Skip {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const there = folders.some((folder) => existsSync(join(folder, name)));
  return { skip: there ? false : `no ${name} here: ${from}` };
}

export const SPICY = found('spicy-litetlog', 'tools/servers.sh fetches it');

/** What the commands of README.txt need beside the shell itself. */
const TOOLS = [
  ...['sha256sum', 'zstd', 'tar', 'mkdir', 'sed', 'tail', 'head', 'cmp', 'cat', 'grep'],
  ...['wc', 'base64', 'basename', 'openssl', 'spicy-litetlog', 'sigsum-verify'],
];

/** A folder of those programs, as a PATH: no Node, nothing of ours. */
export async function barePath(home: string): Promise<string> {
  const folder = join(home, 'bin');
  await mkdir(folder, { recursive: true });
  for (const name of TOOLS) {
    const { stdout } = await run('sh', ['-c', `command -v ${name}`]);
    await symlink(stdout.trim(), join(folder, name)).catch(() => undefined);
  }
  return folder;
}

/** The commands of a bag's README.txt as they are written, the first that fails ends them. */
export async function commandsOf(bag: string): Promise<readonly string[]> {
  const text = await readFile(join(bag, 'README.txt'), 'utf8');
  return text.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
}

/** Runs commands in a bag with nothing else at hand; gives what they print. Rejects as they do. */
export async function bare(
  commands: readonly string[],
  at: { readonly bag: string; readonly path: string },
): Promise<string> {
  const script = ['set -e', ...commands].join('\n');
  const { stdout } = await run('/bin/sh', ['-c', script], { cwd: at.bag, env: { PATH: at.path } });
  return stdout;
}
