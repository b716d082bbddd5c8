// SPDX-License-Identifier: Apache-2.0
import { LEASE_MS } from '@impound/contracts/progress.ts';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { wait } from '@impound/runtime/wait.ts';
import { audit } from './fleet/audit.ts';
import { podNames } from './fleet/cluster.ts';
import { type Door, openDoor } from './fleet/door.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { midway } from './fleet/midway.ts';

/** One way to be cut off in the middle of a collection, and what has to come of it. */
interface Case {
  readonly name: string;
  readonly door: 'bus' | 'store';
  readonly harm: (door: Door) => void;
  readonly ms: number;
  /** Epochs until the seal: 2 where nobody could hear that the first holder lives. */
  readonly epochs: number;
  readonly short?: boolean;
}

/** Where another worker takes over it lasts until that is done; in the whole form longer, too. */
const LONG_MS = LEASE_MS + 15_000;
const BRIEF_MS = 8_000;
const DELAY_MS = 300;
const FENCED_MS_MAX = 90_000;

const CASES: readonly Case[] = [
  {
    ...{ name: 'bus cut for longer than a lease', door: 'bus', ms: LONG_MS, epochs: 2 },
    ...{ harm: (door) => door.shut(), short: true },
  },
  {
    ...{ name: 'bus half open, both ways', door: 'bus', ms: LONG_MS, epochs: 2 },
    harm: (door) => door.swallow('in', 'out'),
  },
  {
    ...{ name: 'bus heard and not reached', door: 'bus', ms: LONG_MS, epochs: 2 },
    harm: (door) => door.swallow('in'),
  },
  {
    ...{ name: 'bus reached and not heard', door: 'bus', ms: BRIEF_MS, epochs: 1 },
    ...{ harm: (door) => door.swallow('out'), short: true },
  },
  {
    ...{ name: 'bus slow', door: 'bus', ms: BRIEF_MS, epochs: 1 },
    ...{ harm: (door) => door.delay(DELAY_MS), short: true },
  },
  {
    ...{ name: 'bus cut for a moment', door: 'bus', ms: BRIEF_MS, epochs: 1 },
    harm: (door) => door.shut(),
  },
  {
    ...{ name: 'store cut', door: 'store', ms: BRIEF_MS, epochs: 1 },
    ...{ harm: (door) => door.shut(), short: true },
  },
  {
    ...{ name: 'store half open', door: 'store', ms: BRIEF_MS, epochs: 1 },
    harm: (door) => door.swallow('in', 'out'),
  },
];

/** Whoever is cut off goes on for a while, and must not count. */
export const partition: Drill = {
  sentence:
    'Cuts an executor off the bus or the store in the middle of a collection: cut, half open, one ' +
    'way only, slow; it is fenced where it was away too long, and nothing is done twice.',
  run: async (stage) => {
    const port = await freePort();
    await using store = await openDoor(port);
    const settings = {
      uploader: { UPLOADER_PORT: String(port), UPLOADER_URL: `http://127.0.0.1:${store.port}` },
    };
    await using fleet = await startFleet(
      {
        pods: podNames(CASES.length, 0),
        settings,
        replicas: { 'executor-kubernetes': 2 },
        doors: ['executor-kubernetes-1'],
      },
      stage.signal,
    );
    const doors = { bus: fleet.door('executor-kubernetes-1'), store };
    const findings: string[] = [];
    for (const [at, one] of CASES.entries()) {
      if (!stage.full && one.short !== true) continue;
      findings.push(...(await cutOff(fleet, { one, pod: `shell-${at}`, doors }, stage)));
    }
    const audited = await audit(fleet, stage.signal);
    for (const line of auditLines(audited)) stage.tell(line);
    return [...findings, ...audited.findings];
  },
};

interface Cutting {
  readonly one: Case;
  readonly pod: string;
  readonly doors: Readonly<Record<Case['door'], Door>>;
}

async function cutOff(fleet: Fleet, { one, pod, doors }: Cutting, stage: Stage): Promise<string[]> {
  const [, second] = fleet.of('executor-kubernetes');
  // The first one gets the work because there is nobody else.
  second?.neglect();
  await second?.kill();
  const { id, goOn } = await midway(fleet, pod, stage.signal);
  const door = doors[one.door];
  const cutAtMs = Date.now();
  one.harm(door);
  goOn();
  second?.mend();
  if (one.epochs > 1) await fleet.tap.ended(id, stage.signal);
  if (one.epochs === 1 || stage.full) await wait(one.ms - (Date.now() - cutAtMs), stage.signal);
  const during = await fleet.tap.chain(id);
  door.open();
  door.delay(0);
  const end = await fleet.tap.ended(id, stage.signal);
  const fenced = one.epochs > 1 && (await isFenced(fleet, id, stage.signal));
  const types = (await fleet.tap.chain(id)).map(({ event }) => event.type);
  const claims = types.filter((type) => type === 'execution.started.v1').length;
  const ended = `${end.event.type}, ${claims} epochs`;
  stage.tell(`${one.name}: ${ended}, at ${during.length} entries when it healed, fenced ${fenced}`);
  const facts = [
    [end.event.type === 'acquisition.sealed.v1' && claims === one.epochs, types.join(', ')],
    [fenced === one.epochs > 1, 'what the first holder said late is not on record'],
  ] as const;
  return facts.flatMap(([so, text]) => (so ? [] : [`${one.name}: ${text}`]));
}

async function isFenced({ tap }: Fleet, id: string, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FENCED_MS_MAX)]);
  const fenced = tap.later(id, 'execution.fenced.v1', limit);
  return await fenced.then(
    () => true,
    () => false,
  );
}
