// SPDX-License-Identifier: Apache-2.0
import type { CollectorRecord } from './collector/records.ts';

/** What belongs to the kernel: the same inside and beside the target, since they share it. */
const PSEUDO = /^\/(proc|sys)(\/|$)/;

/** A path of the target as a shell names it that sees the target's root below `root`. */
export function seenBelow(root: string, path: string): string {
  return PSEUDO.test(path) ? path : root + path;
}

/** The same record in the target's own words: without the prefix by which its root was seen. */
export function inTarget(record: CollectorRecord, root = ''): CollectorRecord {
  if (root === '') return record;
  switch (record.kind) {
    case 'file':
      return { ...record, path: pathIn(record.path, root) };
    case 'text':
      return { ...record, name: nameIn(record.name, root) };
    case 'coverage':
      return { ...record, item: nameIn(record.item, root) };
    default:
      return record;
  }
}

const SLASH = Buffer.from('/');

function pathIn(path: Buffer, root: string): Buffer {
  if (path.equals(Buffer.from(root))) return SLASH;
  return path.indexOf(`${root}/`) === 0 ? path.subarray(root.length) : path;
}

/** A name may have a word and a colon before the path, such as `home:`. */
function nameIn(name: Buffer, root: string): Buffer {
  const at = name.indexOf(`${root}/`);
  const before = name.subarray(0, Math.max(at, 0));
  const plain = at === 0 || /^[a-z-]+:$/.test(before.toString('latin1'));
  return plain && at >= 0 ? Buffer.concat([before, name.subarray(at + root.length)]) : name;
}
