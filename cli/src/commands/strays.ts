// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Entry } from '@impound/contracts/entry.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { judgeObject, keyIn, type Stray } from '../stray.ts';
import { chainOf } from './look.ts';
import { reachRecords } from './reach.ts';

/**
 * Which objects of a store no chain names, by the store's own listing: whoever may list and remove
 * there has it, and the platform needs no right for it. Nothing is changed.
 */
export async function strays(here: Here, signal: AbortSignal): Promise<number> {
  const [listing, ...more] = here.args.positionals;
  if (listing === undefined || more.length > 0) {
    throw new Exit(EXIT.usage, 'strays takes the listing of a store: a file, or - for its input');
  }
  const keys = await keysIn(listing, signal);
  if (keys.size === 0) {
    throw new Exit(
      EXIT.failed,
      `${listing} holds no key of an object: TENANT/ACQUISITION/SET/NAME`,
    );
  }
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const count = { named: 0, open: 0, left: 0, strange: 0 };
  for (const [acquisitionId, those] of keys) {
    const chain = await chainIn(client, acquisitionId);
    for (const key of those) count[tell(here, key, chain)]++;
  }
  const { printer } = here;
  printer.value('strays', { ok: count.strange === 0, ...count });
  printer.line(`${count.named} named by their chain, ${count.open} of acquisitions that go on`);
  printer.line(`${count.left} left by tries that came to nothing, ${count.strange} UNEXPLAINED`);
  return count.strange > 0 ? EXIT.findings : EXIT.ok;
}

/** The keys of a listing, by acquisition; lines without one are passed over. */
async function keysIn(listing: string, signal: AbortSignal): Promise<Map<string, string[]>> {
  const keys = new Map<string, string[]>();
  const input = listing === '-' ? process.stdin : createReadStream(listing, { signal });
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const key = keyIn(line);
      if (key === undefined) continue;
      const [, acquisitionId = ''] = key.split('/');
      const those = keys.get(acquisitionId) ?? [];
      those.push(key);
      keys.set(acquisitionId, those);
    }
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new Exit(EXIT.failed, `${listing} cannot be read: ${code}`, { cause });
  }
  return keys;
}

/** Empty where there is no such acquisition, or none that this login may see. */
async function chainIn(client: Client, acquisitionId: string): Promise<readonly Entry[]> {
  return await chainOf(client, acquisitionId).catch((error: unknown) => {
    if (error instanceof Exit && error.message.startsWith('404 ')) return [];
    throw error;
  });
}

function tell({ printer }: Here, key: string, chain: readonly Entry[]): Stray['kind'] {
  const { kind, since, because } = judgeObject(key, chain);
  if (kind === 'named' || kind === 'open') return kind;
  printer.value('stray', { key, explained: kind === 'left', since, because });
  printer.line(`${kind === 'left' ? 'left' : 'UNEXPLAINED'}  ${key}`);
  printer.line(`    ${since === undefined ? '' : `since ${since} at the earliest: `}${because}`);
  return kind;
}
