// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { checkOf, type Finding } from './finding.ts';

const OTHERS = 0o077;
const OTHERS_MAY_WRITE = 0o022;

/** Files that hold secrets or decide who may what: nobody but their owner should read them. */
export async function secretFindings(paths: readonly string[]): Promise<readonly Finding[]> {
  const check = checkOf('secret-files');
  const findings = await Promise.all([...new Set(paths)].map(secretFinding));
  const found = findings.filter((one) => one !== undefined);
  if (found.length > 0 || paths.length === 0) return found;
  return [check.ok(`${paths.length} files with secrets can be read by their owner only`)];
}

async function secretFinding(path: string): Promise<Finding | undefined> {
  const check = checkOf('secret-files');
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown');
  if (typeof found === 'string') {
    if (found === 'ENOENT') return check.sick(`${path} is named and is not there`, 'make it');
    const next = 'run doctor as the account that the services run as';
    return check.unknown(`${path} cannot be looked at: ${found}`, next);
  }
  const mode = found.mode & 0o777;
  if ((mode & OTHERS) === 0) return undefined;
  const what = `${path} can be read or written by others (mode ${mode.toString(8)})`;
  return check.sick(what, `chmod ${found.isDirectory() ? '700' : '600'} ${path}`);
}

/** A directory of ours: who can write there can swap what is in it. */
export async function directoryFinding(path: string): Promise<Finding> {
  const check = checkOf('data-directory');
  const { mode, uid } = await stat(path);
  const text = (mode & 0o777).toString(8);
  if ((mode & OTHERS_MAY_WRITE) !== 0) {
    const what = `${path} can be written by others (mode ${text}), who could swap evidence`;
    return check.sick(what, `chmod 700 ${path}, and find out who was there`);
  }
  if (process.getuid !== undefined && ![0, process.getuid()].includes(uid)) {
    return check.sick(`${path} belongs to user ${uid}`, 'give it to the account of the services');
  }
  if ((mode & OTHERS) === 0) return check.ok(`${path} is its owner's alone`);
  return check.advice(`${path} can be looked into by others (mode ${text})`, `chmod 700 ${path}`);
}
