// SPDX-License-Identifier: Apache-2.0
import { Actor, actorIn } from '@impound/contracts/actor.ts';
import type { Entry } from '@impound/contracts/entry.ts';
import { serviceOf } from '@impound/contracts/envelope.ts';

const DETAIL_CHARACTERS_MAX = 480;

type Data = Readonly<Record<string, unknown>>;

/** What an event says, in a few words for people; never fails, whatever the data is. */
export function detail(type: string, data: Data): string {
  const said = told(type, data) ?? String(data['because'] ?? data['reason'] ?? '');
  return said.length > DETAIL_CHARACTERS_MAX ? `${said.slice(0, DETAIL_CHARACTERS_MAX)}…` : said;
}

/** Undefined where the data is not what the type promises: a line for people never fails. */
function told(type: string, data: Data): string | undefined {
  try {
    return DETAILS[type]?.(data as never);
  } catch {
    return undefined;
  }
}

interface Keyed {
  readonly key: string;
}

interface Counts {
  readonly got: number;
  readonly partial: number;
  readonly denied: number;
  readonly absent: number;
}

const DETAILS: Readonly<Record<string, (data: never) => string>> = {
  'target.resolved.v1': (d: { container: { image: string; state: string } }) =>
    `${d.container.state}, ${d.container.image}`,
  'context.captured.v1': (d: { objects: unknown[]; gaps: unknown[] }) =>
    `${d.objects.length} objects, ${d.gaps.length} gaps`,
  'context.stored.v1': (d: { objects: unknown[]; lost: unknown[] }) =>
    `${d.objects.length} objects read back and verified, ${d.lost.length} lost`,
  'access.checked.v1': (d: { ladder: { method: string; verdict: string }[] }) =>
    d.ladder.map((rung) => `${rung.method}: ${rung.verdict}`).join(', '),
  'acquisition.assigned.v1': (d: { method: string; executor: string; epoch: number }) =>
    `${d.method} by ${d.executor}, epoch ${d.epoch}`,
  'execution.started.v1': (d: { worker: string }) => `claimed by ${d.worker}`,
  'execution.failed.v1': (d: { code: string; because: string }) => `${d.code}: ${d.because}`,
  'evidence.captured.v1': (d: { coverage: Counts }) =>
    `${d.coverage.got} got, ${d.coverage.partial} partial, ${d.coverage.denied} denied, ` +
    `${d.coverage.absent} absent`,
  'evidence.stored.v1': (d: { objects: unknown[] }) =>
    `${d.objects.length} objects read back and verified`,
  'evidence.accessed.v1': (d: { accessedBy: { id: string }; purpose: string; objects: Keyed[] }) =>
    `${namesOf(d.objects)} to ${d.accessedBy.id}: ${d.purpose}`,
  'audit.read.v1': (d: { purpose: string }) => d.purpose,
  'acquisition.sealed.v1': (d: { manifest: string; entries: number }) =>
    `${d.entries} entries, manifest ${d.manifest.slice(0, 16)}…`,
};

function namesOf(objects: readonly Keyed[]): string {
  return objects.map(({ key }) => key.split('/').at(-1)).join(', ');
}

/** Who acted, as an account tells it; a service shows who it is to the bus. */
export type Acting = Omit<Actor, 'authn'> & { readonly authn: string };

/** The actor of an entry: who the event names, else the service that said it. */
export function actorOf({ event }: Entry): Acting {
  const named = Actor.safeParse(actorIn(event.data)).data;
  return named ?? { id: serviceOf(event.source), kind: 'service', authn: '' };
}

/** Why it was done, in the words of whoever did it; empty where the event gives no reason. */
export function purposeOf({ event }: Entry): string {
  const { purpose, reason, because } = event.data;
  const given = [purpose, reason, because].find((value) => typeof value === 'string');
  return typeof given === 'string' ? given : '';
}
