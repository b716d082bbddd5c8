// SPDX-License-Identifier: Apache-2.0
import type { ChainHead } from '../domain/head.ts';
import { headCache } from './head-cache.ts';

/** Reads many chains in one question to the database. */
export interface HeadReader {
  /** How long each chain is; one that there is not is left out. */
  versions(acqs: readonly string[]): Promise<ReadonlyMap<string, number>>;
  heads(acqs: readonly string[]): Promise<ReadonlyMap<string, ChainHead | null>>;
}

const CHAINS_MAX = 10_000;
const ASKED_MAX = 1_000;
/** A heartbeat can wait so long; whoever asks when nobody just asked is answered at once. */
export const GATHER_MS = 50;

/**
 * Where a chain stands, for all who ask at once. What is known of a chain holds for as long as it
 * has not grown, and only that is asked each time: a thousand heartbeats are a few short questions.
 * Whoever asks is answered from what was committed when it asked, or later. After an answer those
 * who come within GATHER_MS wait for each other.
 */
export function freshHeads(
  reader: HeadReader,
  gather: () => Promise<unknown>,
): (acq: string) => Promise<ChainHead | undefined> {
  const known = headCache(CHAINS_MAX);
  const waiting = new Map<string, PromiseWithResolvers<ChainHead | undefined>>();
  let reading = false;

  async function read(acqs: readonly string[]): Promise<ReadonlyMap<string, ChainHead>> {
    const versions = await reader.versions(acqs);
    const grown = acqs.filter((acq) => {
      const version = versions.get(acq);
      return version !== undefined && known.get(acq)?.version !== version;
    });
    const heads = grown.length === 0 ? new Map() : await reader.heads(grown);
    for (const [acq, head] of heads) if (head !== null) known.set(acq, head);
    const found = acqs.map((acq) => [acq, heads.get(acq) ?? known.get(acq)] as const);
    return new Map(found.flatMap(([acq, head]) => (head === undefined ? [] : [[acq, head]])));
  }

  async function answerSome(): Promise<void> {
    const asked = [...waiting].slice(0, ASKED_MAX);
    for (const [acq] of asked) waiting.delete(acq);
    try {
      const heads = await read(asked.map(([acq]) => acq));
      for (const [acq, { resolve }] of asked) resolve(heads.get(acq));
    } catch (error) {
      for (const [, { reject }] of asked) reject(error);
    }
  }

  async function answer(): Promise<void> {
    // Those who ask in the same moment come along.
    await Promise.resolve();
    while (waiting.size > 0) {
      await answerSome();
      await gather();
    }
    reading = false;
  }

  return (acq) => {
    const asked = waiting.get(acq) ?? Promise.withResolvers<ChainHead | undefined>();
    waiting.set(acq, asked);
    if (!reading) {
      reading = true;
      void answer();
    }
    return asked.promise;
  };
}
