// SPDX-License-Identifier: Apache-2.0
import { lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';

const LINKS_MAX = 40;

/**
 * Finds the program a container would run and returns undefined, or what a container runtime
 * says when it cannot. `root` is the root as the host sees it (`/proc/PID/root`), and links are
 * followed inside of it, since an absolute one would lead out.
 */
export function whyNotRunnable(
  root: string,
  command: string | undefined,
  path: string,
): string | undefined {
  if (command === undefined) return 'args must not be empty: unknown';
  const says = (why: string): string =>
    `unable to start container process: exec: "${command}": ${why}: unknown`;
  if (!command.includes('/')) {
    const found = path.split(':').some((folder) => isProgram(root, `${folder}/${command}`));
    return found ? undefined : says('executable file not found in $PATH');
  }
  const file = statInside(root, command);
  if (file === undefined) return says(`stat ${command}: no such file or directory`);
  return file.isFile() && (file.mode & 0o111) !== 0 ? undefined : says('permission denied');
}

function isProgram(root: string, path: string): boolean {
  const file = statInside(root, path);
  return file?.isFile() === true && (file.mode & 0o111) !== 0;
}

function statInside(root: string, path: string): Stats | undefined {
  try {
    const real = resolveInside(root, path);
    return real === undefined ? undefined : statSync(join(root, real));
  } catch {
    return undefined;
  }
}

/** Follows links of a path inside a root; undefined for a loop. Throws for what is missing. */
export function resolveInside(root: string, path: string): string | undefined {
  let rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let done: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [part, ...others] = rest;
    rest = others;
    if (part === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const here = [...done, part ?? ''];
    if (!lstatSync(`${root}/${here.join('/')}`).isSymbolicLink()) {
      done = here;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) return undefined;
    const target = readlinkSync(`${root}/${here.join('/')}`);
    if (target.startsWith('/')) done = [];
    rest = [...target.split('/').filter((one) => one !== '' && one !== '.'), ...rest];
  }
  return `/${done.join('/')}`;
}
