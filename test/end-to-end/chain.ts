// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { endsAcquisition } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import type { Client } from '../../cli/src/client.ts';

/** A chain as an auditor gets it: entries, and the texts that were hashed. */
export interface Chain {
  readonly entries: readonly Entry[];
  readonly texts: readonly string[];
  readonly types: readonly string[];
  /** The data of the last event of a type; fails where there is none. */
  data(type: string): Readonly<Record<string, unknown>>;
}

/** Reads a chain over HTTP and checks every link of it. */
export async function chainOf(client: Client, acquisitionId: string): Promise<Chain> {
  const response = await client.stream(`/v1/acquisitions/${acquisitionId}/chain`);
  const texts = (await response.text()).split('\n').filter((line) => line !== '');
  const entries = texts.map((text) => Entry.parse(JSON.parse(text)));
  assertLinked(acquisitionId, entries, texts);
  return {
    entries,
    texts,
    types: entries.map(({ event }) => event.type),
    data: (type) => {
      const found = entries.findLast(({ event }) => event.type === type);
      assert.ok(found, `${acquisitionId} has no ${type}`);
      return found.event.data;
    },
  };
}

/** Contiguous from 1, each naming the hash of the one before (RFC 6962), no event twice. */
function assertLinked(acquisitionId: string, entries: readonly Entry[], texts: readonly string[]) {
  let before = '0'.repeat(64);
  for (const [index, entry] of entries.entries()) {
    assert.equal(entry.acq, acquisitionId);
    assert.equal(entry.acqSeq, index + 1, `${acquisitionId}: an entry is missing`);
    assert.equal(entry.acqPrev, before, `${acquisitionId}: entry ${index + 1} does not link`);
    before = createHash('sha256').update(`\0${texts[index]}`, 'utf8').digest('hex');
  }
  const ids = new Set(entries.map(({ event }) => event.id));
  assert.equal(ids.size, entries.length, `${acquisitionId}: an event is there twice`);
}

/** Of these there is exactly one in every acquisition that is sealed at its first attempt. */
const ONCE = [
  'acquisition.requested.v1',
  'target.resolved.v1',
  'context.captured.v1',
  'context.stored.v1',
  'access.checked.v1',
  'acquisition.assigned.v1',
  'execution.started.v1',
  'evidence.captured.v1',
  'evidence.stored.v1',
  'acquisition.sealed.v1',
];

/** Sealed, nothing said twice and nothing contradicted; `epochs` is how many attempts it took. */
export function assertSealedOnce(chain: Chain, epochs = 1): void {
  const counts = Object.groupBy(chain.types, (type) => type);
  const many = new Set(['acquisition.assigned.v1', 'execution.started.v1']);
  for (const type of ONCE) {
    const wanted = many.has(type) ? epochs : 1;
    assert.equal(counts[type]?.length, wanted, `${type}, not once: ${story(chain)}`);
  }
  assert.equal(chain.types.filter(endsAcquisition).length, 1);
  assert.equal(counts['conflict.noticed.v1'], undefined, story(chain));
}

/** A chain in one line, for the message of an assertion. */
export function story({ entries }: Chain): string {
  const told = entries.map(({ event: { type, data } }) =>
    [type, data['code'], data['because'], repeatedIn(entries, data)].filter(Boolean).join(' '),
  );
  return told.join(' | ');
}

/** The type of the event that a conflict is about. */
function repeatedIn(entries: readonly Entry[], data: Readonly<Record<string, unknown>>) {
  const { repeatedId } = data;
  return entries.find(({ event }) => event.id === repeatedId)?.event.type;
}
