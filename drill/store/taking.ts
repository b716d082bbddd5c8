// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wait } from '@impound/runtime/wait.ts';
import { CONTAINER, NAMESPACE } from '../fleet/cluster.ts';
import type { Door } from '../fleet/door.ts';
import type { Stage } from '../fleet/drill.ts';
import type { Fleet } from '../fleet/fleet.ts';

const MIB = 2 ** 20;
/** What a capture is made of. */
export const FILE_BYTES = 48 * MIB;
const BYTES_PER_SECOND = { full: MIB, short: 4 * MIB };
/** So much has gone in when the store is taken away. */
const MIDWAY_BYTES = 10 * MIB;
const AWAY_MS = { full: 60_000, short: 3_000 };
const LOOK_MS = 50;

/** A fleet whose evidence goes through a door. */
export interface Scene {
  readonly fleet: Fleet;
  readonly door: Door;
}

/** Takes the store away, lets that time pass, and gives it back. */
export type Way<Of extends Scene = Scene> = (scene: Of, away: () => Promise<void>) => Promise<void>;

/** Takes the store away in each of these ways, each in the middle of a capture of another pod. */
export async function takenAway<Of extends Scene>(
  scene: Of,
  ways: Readonly<Record<string, Way<Of>>>,
  stage: Stage,
): Promise<readonly string[]> {
  const findings: string[] = [];
  for (const [at, [what, way]] of Object.entries(ways).entries()) {
    const pod = scene.fleet.pods[at] ?? '';
    findings.push(...(await taken(scene, { pod, what, way }, stage)));
  }
  return findings;
}

async function taken<Of extends Scene>(
  scene: Of,
  { pod, what, way }: { readonly pod: string; readonly what: string; readonly way: Way<Of> },
  stage: Stage,
): Promise<string[]> {
  const { fleet, door } = scene;
  const directory = join(fleet.lab.filesOf(NAMESPACE, pod, CONTAINER), 'srv/noise');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'one'), randomBytes(FILE_BYTES));
  const before = door.passed();
  door.slow(stage.full ? BYTES_PER_SECOND.full : BYTES_PER_SECOND.short);
  const id = await fleet.order(pod, { paths: ['/srv/noise'] });
  while (door.passed() - before < MIDWAY_BYTES) {
    await wait(LOOK_MS, stage.signal);
    stage.signal.throwIfAborted();
  }
  const takenAt = performance.now();
  const awayMs = stage.full ? AWAY_MS.full : AWAY_MS.short;
  await way(scene, () => wait(awayMs, stage.signal));
  door.slow();
  const { event } = await fleet.tap.ended(id, stage.signal);
  const chain = await fleet.tap.chain(id);
  const tries = chain.filter((entry) => entry.event.type === 'execution.started.v1').length;
  const seconds = ((performance.now() - takenAt) / 1_000).toFixed(1);
  const because = event.data['because'] === undefined ? '' : ` (${String(event.data['because'])})`;
  stage.tell(`${what}: ${event.type}${because} in ${tries} tries, ${seconds} s after it`);
  await fleet.ready();
  const findings = tries === 1 ? [] : [`${what}: the target was touched in ${tries} tries`];
  return event.type === 'acquisition.sealed.v1'
    ? findings
    : [...findings, `${what}: it ended ${event.type}`];
}
