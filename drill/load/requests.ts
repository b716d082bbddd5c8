// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { newId } from '@impound/runtime/ids.ts';
import { wait } from '@impound/runtime/wait.ts';
import { CLUSTER, CONTAINER, NAMESPACE } from '../fleet/cluster.ts';
import type { Fleet } from '../fleet/fleet.ts';

/** What came of many requests. */
export interface Answered {
  /** How many answers of each status; 0 stands for no answer at all. */
  readonly statuses: Map<number, number>;
  /** How long each 202 took, in milliseconds. */
  readonly acceptedMs: number[];
  /** What was accepted. */
  readonly ids: string[];
}

const SOCKETS_MAX = 256;
const TICK_MS = 20;

/** Sends requests at an even pace, whatever becomes of those before, each for another target. */
export async function request200s(
  at: { readonly fleet: Fleet; readonly perSecond: number; readonly seconds: number },
  names: (index: number) => string,
  signal: AbortSignal,
): Promise<Answered> {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const answered: Answered = { statuses: new Map(), acceptedMs: [], ids: [] };
  const under: Promise<void>[] = [];
  const all = at.perSecond * at.seconds;
  const startedAt = performance.now();
  try {
    for (let sent = 0; sent < all; ) {
      const elapsedMs = performance.now() - startedAt;
      const due = Math.min(all, Math.ceil((elapsedMs / 1_000) * at.perSecond));
      for (; sent < due; sent++) under.push(one({ ...at, agent, answered }, names(sent)));
      await wait(TICK_MS, signal);
      signal.throwIfAborted();
    }
    await Promise.all(under);
  } finally {
    agent.destroy();
  }
  return answered;
}

interface Sending {
  readonly fleet: Fleet;
  readonly agent: Agent;
  readonly answered: Answered;
}

async function one({ fleet, agent, answered }: Sending, pod: string): Promise<void> {
  const startedAt = performance.now();
  const { status, text } = await posted(fleet, agent, pod).catch(() => ({ status: 0, text: '' }));
  answered.statuses.set(status, (answered.statuses.get(status) ?? 0) + 1);
  if (status !== 202) return;
  answered.acceptedMs.push(performance.now() - startedAt);
  answered.ids.push((JSON.parse(text) as { acquisitionId: string }).acquisitionId);
}

async function posted({ access }: Fleet, agent: Agent, pod: string) {
  const body = JSON.stringify({
    target: `kubernetes://${CLUSTER}/${NAMESPACE}/${pod}/${CONTAINER}`,
    caseId: 'DRILL-1',
    reason: 'a drill',
    profile: 'volatile',
    deadlineSeconds: 7_200,
  });
  const sending = request(`${access.url}/v1/acquisitions`, {
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${access.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': newId(),
    },
  });
  sending.end(body);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}
