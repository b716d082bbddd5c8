// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';

const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** Where a program of the host is, or undefined; containers have a PATH of their own. */
export function findTool(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Like {@link findTool}, for what the lab cannot do without; throws naming the package. */
export function tool(name: string): string {
  const path = findTool(name);
  if (path !== undefined) return path;
  const origin = name === 'openssl' ? 'openssl' : 'util-linux and coreutils';
  throw new Error(`The lab needs the program "${name}" (Debian packages: ${origin}). Install it.`);
}
