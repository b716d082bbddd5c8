// SPDX-License-Identifier: Apache-2.0
import type { Fleet, Wish } from './fleet.ts';
import type { Member } from './member.ts';

/** An acquisition whose collector has sent its first bytes and waits to send the rest. */
export interface Midway {
  readonly id: string;
  /** The executor that holds the epoch. */
  readonly holder: Member;
  /** Lets the rest come. */
  goOn(): void;
}

/** Headers and the first files of a collection. */
const MIDWAY_BYTES = 4_096;

/** Asks for a pod's evidence and holds the collection up in the middle of its stream. */
export async function midway(
  fleet: Fleet,
  pod: string,
  signal: AbortSignal,
  wish: Wish = { methods: ['exec-stream'] },
): Promise<Midway> {
  const goOn = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  fleet.lab.inject({
    ...{ kind: 'pause', afterBytes: MIDWAY_BYTES, path: new RegExp(`/pods/${pod}/exec`), times: 1 },
    reached: reached.resolve,
    until: goOn.promise,
  });
  const id = await fleet.order(pod, wish);
  const ended = fleet.tap.ended(id, signal).then(({ event }) => {
    throw new Error(`${pod} ended with ${event.type} before it was midway`);
  });
  ended.catch(() => undefined);
  await Promise.race([reached.promise, ended]);
  return { id, holder: await holderOf(fleet, id), goOn: goOn.resolve };
}

/** The executor that claimed last. */
async function holderOf({ tap, members }: Fleet, id: string): Promise<Member> {
  const claims = (await tap.chain(id)).filter(({ event }) => event.type === 'execution.started.v1');
  const worker = claims.at(-1)?.event.data['worker'];
  const found = members.find(({ lives }) => lives.at(-1)?.worker === worker);
  if (found === undefined) throw new Error(`${worker} is no process of the fleet`);
  return found;
}
