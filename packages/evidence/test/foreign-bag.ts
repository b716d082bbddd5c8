// SPDX-License-Identifier: Apache-2.0
// A bag for programs that nobody here wrote, and copies of it that were changed.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { timeOf } from '@impound/contracts/time.ts';
import { writeBag } from '@impound/evidence/bag.ts';
import { sealedChain } from '@impound/evidence/testing/chain-specimen.ts';
import { specimenLog } from '@impound/evidence/testing/log-specimen.ts';
import { memorySink } from '@impound/evidence/testing/memory-sink.ts';
import { HEADER, pieces } from '@impound/evidence/testing/specimen.ts';
import { evidenceWriter } from '@impound/evidence/writer.ts';
import { stamp } from '@impound/timestamp/authority.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';

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
export const SIGSUM = found('sigsum-verify', 'tools/servers.sh fetches it');
export const OPENSSL = found('openssl', 'apt-get install openssl');

/** A file that says something else. */
export type Change = readonly [what: string, file: string, by: (text: string) => string];

/** The entry that changes are about. */
export const ENTRY = 'custody/entries/000003.json';
export const OTHER_ENTRY: Change = [
  'another entry',
  ENTRY,
  (text) => text.replace('"v":1', '"v":2'),
];

/** An authority of time that is made of `openssl ts`, for as long as the scope lasts. */
export async function stampingAuthority(scope: AsyncDisposableStack) {
  const authority = await opensslAuthority({ after: (work) => scope.defer(work) });
  const { url, root } = authority;
  const on = { url, trusted: [root] };
  const signal = AbortSignal.timeout(60_000);
  return { root, stamp: async (data: Buffer) => (await stamp(on, data, signal)).token };
}

/** A folder with a bag in it; it goes with its owner. */
export async function openForeignBag() {
  const signal = AbortSignal.timeout(60_000);
  await using scope = new AsyncDisposableStack();
  const authority = OPENSSL.skip === false ? await stampingAuthority(scope) : undefined;
  const log = specimenLog(undefined, authority);
  const home = await mkdtemp(join(tmpdir(), 'impound-foreign-'));
  const bag = join(home, 'bag');
  const sink = memorySink();
  {
    await using writer = await evidenceWriter({ sink, header: HEADER }, signal);
    await writer.file({ area: 'volatile', path: 'ps.txt' }, Buffer.from('a shell\n'));
    await writer.end();
  }
  const objects = [...sink.objects].map(([name, content]) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { name, key: `default/x/${name}`, bytes: content.length, sha256, content };
  });
  const recordedAt = timeOf(Date.now());
  const chain = sealedChain(
    objects.map(({ content: _, ...object }) => object),
    recordedAt,
  );
  await writeBag(
    bag,
    {
      objects: objects.map((object) => ({ ...object, content: pieces(object.content) })),
      chain: pieces(Buffer.from(chain.lines.map((line) => `${line}\n`).join(''))),
      info: {},
      log: (entries) => log.record(entries, chain.seal),
    },
    signal,
  );
  return {
    ...{ home, bag, log },
    /** A copy of the bag in which one file says something else. */
    changed: async ([, file, by]: Change): Promise<string> => {
      const copy = await mkdtemp(join(home, 'changed-'));
      await cp(bag, copy, { recursive: true });
      const text = await readFile(join(copy, file), 'latin1');
      assert.notEqual(by(text), text, file);
      await writeFile(join(copy, file), by(text), 'latin1');
      return copy;
    },
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  };
}
