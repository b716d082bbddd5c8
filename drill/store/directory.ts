// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { audit } from '../fleet/audit.ts';
import { podNames } from '../fleet/cluster.ts';
import { openDoor } from '../fleet/door.ts';
import { auditLines, type Stage } from '../fleet/drill.ts';
import { startFleet } from '../fleet/fleet.ts';
import { FILE_BYTES, takenAway, type Way } from './taking.ts';

/** Room for all captures of the drill. */
const STORE_BYTES_MAX = 100 * FILE_BYTES;

/** Ways in which a directory can go and come back. */
const WAYS: Readonly<Record<string, Way>> = {
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
  'it is full, and gets room': async ({ fleet }, away) => {
    const uploader = fleet.victim('uploader');
    const ballast = join(fleet.storeDir, 'ballast');
    writeFileSync(ballast, '');
    // It counts what is there when it starts.
    await truncate(ballast, STORE_BYTES_MAX);
    await uploader.kill();
    await uploader.ready();
    await away();
    await rm(ballast);
    await uploader.kill();
  },
};

/** A store in a directory, behind an uploader behind a door. */
export async function directoryStore(stage: Stage): Promise<readonly string[]> {
  const port = await freePort();
  await using door = await openDoor(port);
  const uploader = {
    UPLOADER_PORT: String(port),
    UPLOADER_URL: `http://127.0.0.1:${door.port}`,
    STORE_BYTES_MAX: String(STORE_BYTES_MAX),
  };
  const pods = podNames(Object.keys(WAYS).length, 0);
  await using fleet = await startFleet({ pods, settings: { uploader } }, stage.signal);
  const findings = await takenAway({ fleet, door }, WAYS, stage);
  const audited = await audit(fleet, stage.signal);
  for (const line of auditLines(audited)) stage.tell(line);
  return [...findings, ...audited.findings];
}
