// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { wait } from '@impound/runtime/wait.ts';
import { audit } from './fleet/audit.ts';
import { CONTAINER, NAMESPACE, podNames } from './fleet/cluster.ts';
import { type Door, openDoor } from './fleet/door.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';

const MIB = 2 ** 20;
const FILE_BYTES = 48 * MIB;
const BYTES_PER_SECOND = 2 ** 20;
/** So much has gone in when the store is taken away. */
const MIDWAY_BYTES = 10 * MIB;
const AWAY_MS = { full: 60_000, short: 6_000 };
const LOOK_MS = 50;

interface Scene {
  readonly fleet: Fleet;
  readonly door: Door;
}

/** Ways in which a store can go and come back. */
const WAYS: Readonly<Record<string, (scene: Scene, away: () => Promise<void>) => Promise<void>>> = {
  'the way to the store is cut': async ({ door }, away) => {
    door.shut();
    await away();
    door.open();
  },
  'the uploader is killed and stays away': async ({ fleet }, away) => {
    const uploader = fleet.victim('uploader');
    uploader.neglect();
    await uploader.kill();
    await away();
    uploader.mend();
  },
  'its directory is gone, under a new uploader too': async ({ fleet }, away) => {
    const hidden = `${fleet.storeDir}-hidden`;
    const uploader = fleet.victim('uploader');
    uploader.neglect();
    await uploader.kill();
    await rename(fleet.storeDir, hidden);
    // A file in its place: the uploader cannot make a store there, and says so until it is mended.
    writeFileSync(fleet.storeDir, '');
    uploader.mend();
    await away();
    await rename(fleet.storeDir, `${hidden}-file`);
    await rename(hidden, fleet.storeDir);
  },
};

/** A slow store goes away in the middle of a capture, and comes back. */
export const store: Drill = {
  sentence: 'Takes a slow store away in the middle of a capture, in three ways, and gives it back.',
  run: async (stage) => {
    const port = await freePort();
    await using door = await openDoor(port);
    const uploader = {
      UPLOADER_PORT: String(port),
      UPLOADER_URL: `http://127.0.0.1:${door.port}`,
    };
    const pods = podNames(Object.keys(WAYS).length, 0);
    await using fleet = await startFleet({ pods, settings: { uploader } }, stage.signal);
    const findings: string[] = [];
    for (const [at, [what, way]] of Object.entries(WAYS).entries()) {
      const pod = fleet.pods[at] ?? '';
      findings.push(...(await taken({ fleet, door, pod, what, way }, stage)));
    }
    const audited = await audit(fleet, stage.signal);
    for (const line of auditLines(audited)) stage.tell(line);
    return [...findings, ...audited.findings];
  },
};

interface Taking extends Scene {
  readonly pod: string;
  readonly what: string;
  readonly way: (typeof WAYS)[string];
}

async function taken({ fleet, door, pod, what, way }: Taking, stage: Stage): Promise<string[]> {
  const directory = join(fleet.lab.filesOf(NAMESPACE, pod, CONTAINER), 'srv/noise');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'one'), randomBytes(FILE_BYTES));
  const before = door.passed();
  door.slow(BYTES_PER_SECOND);
  const id = await fleet.order(pod, { paths: ['/srv/noise'] });
  while (door.passed() - before < MIDWAY_BYTES) {
    await wait(LOOK_MS, stage.signal);
    stage.signal.throwIfAborted();
  }
  const takenAt = performance.now();
  const awayMs = stage.full ? AWAY_MS.full : AWAY_MS.short;
  await way({ fleet, door }, () => wait(awayMs, stage.signal));
  door.slow();
  const { event } = await fleet.tap.ended(id, stage.signal);
  const chain = await fleet.tap.chain(id);
  const tries = chain.filter((entry) => entry.event.type === 'execution.started.v1').length;
  const seconds = ((performance.now() - takenAt) / 1_000).toFixed(1);
  const because = event.data['because'] === undefined ? '' : ` (${String(event.data['because'])})`;
  stage.tell(`${what}: ${event.type}${because} in ${tries} tries, ${seconds} s after it`);
  await fleet.ready();
  return event.type === 'acquisition.sealed.v1' ? [] : [`${what}: it ended ${event.type}`];
}
