// SPDX-License-Identifier: Apache-2.0
import { statfs } from 'node:fs/promises';
import { examine, type StoreOptions } from '@impound/uploader/adapters/open-store.ts';
import type { Finding as StoreFinding } from '@impound/uploader/domain/finding.ts';
import { directoryFinding } from './files.ts';
import { checkOf, type Finding } from './finding.ts';

/** Looks at the evidence store as the uploader does when it starts, and at what holds it. */
export async function storeFindings(options: StoreOptions): Promise<readonly Finding[]> {
  await using scope = new AsyncDisposableStack();
  const { findings } = await examine(options, scope);
  const told = findings.map(translated);
  const { place } = options;
  if (place.kind === 'file') return [...told, ...(await fileStoreFindings(place.directory))];
  if (findings.some(({ code }) => UNSEEN.has(code))) {
    const next = 'look again when the store answers';
    return [...told, checkOf('store-retention').unknown('whether it locks was not seen', next)];
  }
  const unlocked = findings.some(({ code }) => code === 'no-lock');
  return [...told, ...(unlocked ? [] : [lockFinding(options)])];
}

/** With these nothing was learnt of the lock. */
const UNSEEN: ReadonlySet<StoreFinding['code']> = new Set(['store-away', 'store-refused']);

function lockFinding({ lock }: StoreOptions): Finding {
  const check = checkOf('store-retention');
  if (lock === undefined) return check.ok('the bucket locks what is written by a rule of its own');
  return check.ok(`evidence is locked for ${lock.days} days, mode ${lock.mode}`);
}

/** Its messages say what is wrong and, behind the last colon, what to do. */
function translated({ level, code, message }: StoreFinding): Finding {
  const check = checkOf(code === 'no-lock' ? 'store-retention' : 'store');
  const at = message.lastIndexOf(': ');
  const what = at === -1 ? message : message.slice(0, at);
  const next = at === -1 ? 'look at the settings of the store' : message.slice(at + 2);
  if (code === 'not-known' || code === 'store-away') return check.unknown(what, next);
  return level === 'stop' ? check.sick(what, next) : check.advice(what, next);
}

const GIBIBYTE = 1_073_741_824;
const FREE_BYTES_MIN = 5 * GIBIBYTE;
const FREE_PERCENT_MIN = 10;

/** What lies in a directory can be deleted by whoever is root there. */
async function fileStoreFindings(path: string): Promise<readonly Finding[]> {
  const { bavail, blocks, bsize } = await statfs(path);
  const percent = Math.round((bavail / Math.max(1, blocks)) * 100);
  return [
    { ...(await directoryFinding(path)), check: 'store-directory' },
    checkOf('store-retention').advice(
      `the evidence store is the directory ${path}: nothing but file modes keeps objects there`,
      'use an object store with a retention lock, or copy bags away: impound export',
    ),
    spaceFinding(bavail * bsize, percent),
  ];
}

/** Where the disk is full, collections fail that nobody can repeat. */
export function spaceFinding(freeBytes: number, percent: number): Finding {
  const check = checkOf('store-space');
  const free = `${(freeBytes / GIBIBYTE).toFixed(1)} GiB (${percent} %) are free for evidence`;
  const small = freeBytes < FREE_BYTES_MIN || percent < FREE_PERCENT_MIN;
  return small ? check.advice(free, 'give it a larger disk') : check.ok(free);
}
