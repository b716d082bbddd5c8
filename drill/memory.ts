// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from 'node:crypto';
import { linkSync, mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@impound/runtime/embedded/ports.ts';
import { wait } from '@impound/runtime/wait.ts';
import { CONTAINER, NAMESPACE, podNames } from './fleet/cluster.ts';
import { type Door, openDoor } from './fleet/door.ts';
import type { Drill, Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { residentOf } from './fleet/memory.ts';
import { reachIn } from './memory/reach.ts';

const MIB = 2 ** 20;
/** What one process may have in memory, however much passes through it. */
const RESIDENT_BYTES_MAX = 256_000_000;
const FILE_BYTES = 256 * MIB;
/** More than the store can take while it is slow, and than may be under way. */
const SLOW_FILE_BYTES = 160 * MIB;
const SLOW_BYTES_PER_SECOND = 2 * MIB;
const SLOW_LOOKS = 24;
const LOOK_MS = 500;
/**
 * What may be under way between the file in the container and the store: two parts and two frames
 * in the executor (32 MiB), and what the kernel's sockets and pipes hold on the way.
 */
const DISTANCE_BYTES_MAX = 64 * MIB;
const FOLDER = 'srv/noise';

/** Bytes pass through an executor, many and slowly; its memory and theirs are watched. */
export const memory: Drill = {
  sentence:
    'Streams 10 GiB through an executor below 256 MB, and lets a slow store slow the container.',
  run: async (stage) => {
    const port = await freePort();
    await using door = await openDoor(port);
    const uploader = {
      UPLOADER_PORT: String(port),
      UPLOADER_URL: `http://127.0.0.1:${door.port}`,
    };
    const pods = podNames(2, 0);
    await using fleet = await startFleet({ pods, settings: { uploader } }, stage.signal);
    const [many = '', slow = ''] = fleet.pods;
    return [
      ...(await slowed({ fleet, pod: slow, door }, stage)),
      ...(await streamed({ fleet, pod: many, door }, stage)),
    ];
  },
};

interface Place {
  readonly fleet: Fleet;
  readonly pod: string;
  readonly door: Door;
}

/** Noise in a container: one file under many names, so that little disk gives many bytes. */
async function plant(
  { fleet, pod }: Place,
  files: number,
  fileBytes = FILE_BYTES,
): Promise<string> {
  const directory = join(fleet.lab.filesOf(NAMESPACE, pod, CONTAINER), FOLDER);
  mkdirSync(directory, { recursive: true });
  const first = join(directory, '0');
  await using file = await open(first, 'wx');
  const piece = Buffer.alloc(4 * MIB);
  for (let bytes = 0; bytes < fileBytes; bytes += piece.length) {
    await file.write(randomFillSync(piece));
  }
  for (let at = 1; at < files; at++) linkSync(first, join(directory, String(at)));
  return first;
}

const WISH = { paths: [`/${FOLDER}`], deadlineSeconds: 7_200, budget: { bytesMax: 2 ** 36 } };

async function streamed(at: Place, stage: Stage): Promise<string[]> {
  const { fleet } = at;
  const files = stage.full ? 40 : 2;
  await plant(at, files);
  const startedAt = performance.now();
  const id = await fleet.order(at.pod, WISH);
  const end = await fleet.tap.ended(id, stage.signal);
  const seconds = (performance.now() - startedAt) / 1_000;
  const mebibytes = (files * FILE_BYTES) / MIB;
  stage.tell(
    `${mebibytes} MiB in ${files} files: ${end.event.type} after ${seconds.toFixed(0)} s, ` +
      `${(mebibytes / seconds).toFixed(1)} MiB/s with reading back`,
  );
  return [...notSealed(end.event.type), ...(await watched(fleet, stage))];
}

/** While the store takes little, the container is read little ahead of it. */
async function slowed(at: Place, stage: Stage): Promise<string[]> {
  const { fleet, door, pod } = at;
  const file = await plant(at, 1, SLOW_FILE_BYTES);
  const containerPid = fleet.lab.pidOf(NAMESPACE, pod, CONTAINER);
  const id = await fleet.order(pod, WISH);
  await fleet.tap.next('execution.started.v1');
  door.slow(SLOW_BYTES_PER_SECOND);
  const before = door.passed();
  let furthest = 0;
  let reach = 0;
  for (let look = 0; look < SLOW_LOOKS; look++) {
    await wait(LOOK_MS, stage.signal);
    reach = Math.max(reach, reachIn(containerPid, file));
    furthest = Math.max(furthest, reach - (door.passed() - before));
  }
  const taken = door.passed() - before;
  door.slow();
  const end = await fleet.tap.ended(id, stage.signal);
  stage.tell(
    `a store that takes ${SLOW_BYTES_PER_SECOND / MIB} MiB/s had taken ${mib(taken)} when the ` +
      `collector stood at ${mib(reach)} of ${mib(SLOW_FILE_BYTES)}; furthest ahead ${mib(furthest)}`,
  );
  const findings = notSealed(end.event.type);
  if (reach === 0) findings.push('the collector was not seen reading its file');
  if (furthest > DISTANCE_BYTES_MAX) {
    findings.push(`the collector was ${mib(furthest)} ahead of the store`);
  }
  return [...findings, ...(await watched(fleet, stage))];
}

function notSealed(type: string): string[] {
  return type === 'acquisition.sealed.v1' ? [] : [`it did not end sealed: ${type}`];
}

async function watched(fleet: Fleet, stage: Stage): Promise<string[]> {
  await fleet.ready();
  return ['executor-kubernetes', 'uploader'].flatMap((name) => {
    const [member] = fleet.of(name as 'uploader');
    if (member === undefined) return [];
    const { now, peak } = residentOf(member);
    stage.tell(`${name}: ${mib(peak)} resident at most, ${mib(now)} now`);
    if (peak <= RESIDENT_BYTES_MAX) return [];
    return [`${name} had ${mib(peak)} resident, at most ${mib(RESIDENT_BYTES_MAX)} were allowed`];
  });
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}
