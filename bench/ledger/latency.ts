// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import type { Said } from '@impound/ledger/domain/say.ts';
import { quantile } from '../world/figures.ts';
import { readAll, saids } from './events.ts';
import type { Writer } from './ours.ts';

const SINGLE = 500;
const PACE = 5_000;
const PACED_SECONDS = 4;
const TICK_MS = 5;
/** Beyond these the door drops, and a speaker says the same again. */
const WAITING_MAX = 4_096;

/** How long a say waits for its answer: one alone at a time, and at an even pace. */
export async function latencies(writer: Writer): Promise<string[]> {
  const alone: number[] = [];
  for (const one of saids(SINGLE)) alone.push(await timed(writer, one));
  const pace = await paced(writer).catch((error: Error) => error);
  const name = `${PACE} says a second`;
  const kept = pace instanceof Error ? `${name}: ${pace.message}` : line(name, pace);
  return [line('one say at a time', alone), kept];
}

/** From the bytes, as the door gets them, to the answer. */
async function timed(writer: Writer, said: Said): Promise<number> {
  const began = performance.now();
  await writer.append(readAll([said]));
  return performance.now() - began;
}

/** Says come when they come, whether or not those before them are answered. */
async function paced(writer: Writer): Promise<number[]> {
  const says = saids(PACE * PACED_SECONDS);
  const waits: Promise<number>[] = [];
  let answered = 0;
  const began = performance.now();
  while (waits.length < says.length) {
    const due = Math.min(says.length, Math.ceil(((performance.now() - began) * PACE) / 1_000));
    if (due - answered > WAITING_MAX) throw new Error(`this machine takes no ${PACE} a second`);
    for (const say of says.slice(waits.length, due)) {
      const wait = timed(writer, say);
      // Where the pace is given up, nobody waits for these any more.
      wait.then(() => answered++).catch(() => undefined);
      waits.push(wait);
    }
    await delay(TICK_MS);
  }
  return await Promise.all(waits);
}

function line(name: string, ms: readonly number[]): string {
  const [half, most] = [quantile(ms, 0.5).toFixed(1), quantile(ms, 0.99).toFixed(1)];
  return `${name}: p50 ${half} ms, p99 ${most} ms`;
}
