// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import { timeOf } from '@impound/contracts/time.ts';
import type { EvidenceSink } from '@impound/evidence/sink.ts';
import { memorySink } from '@impound/evidence/testing/memory-sink.ts';
import { verified } from '@impound/evidence/testing/specimen.ts';
import { type Assignment, type CollectDeps, collect } from '../collect.ts';
import type { Presence, Seen } from '../ports.ts';
import { BEGINNING, type Script, scriptedShell, streamText } from './scripted-shell.ts';

export const WORKER = 'k8s-1-7f3a' as WorkerId;
export const ID = AcquisitionAssignedV1.example.containerId ?? '';
export const RUNNING: Seen = { state: 'running', containerId: ID };
export const GONE: Seen = { state: 'gone' };

export function assignment(more: Partial<Assignment['data']> = {}): Assignment {
  const deadline = timeOf(Date.now() + 60_000);
  return {
    id: 'a',
    tenant: 'default',
    acquisitionId: '0d4f8c0e-6f5e-4d8e-9a55-3d2b1f0a7e22',
    data: { ...AcquisitionAssignedV1.example, deadline, ...more },
  } as unknown as Assignment;
}

/** A store in memory that tells where things lie. */
function keyed(memory = memorySink()) {
  const aborted: string[] = [];
  const sink: EvidenceSink = {
    object: async (name, signal) => {
      const object = await memory.object(name, signal);
      return {
        ...object,
        complete: async (whole) => ({ ...(await object.complete(whole)), key: `t/a/e1/${name}` }),
        abort: async () => {
          aborted.push(name);
          await object.abort();
        },
      };
    },
  };
  return { sink, objects: memory.objects, aborted };
}

export interface Scene {
  readonly script: Script;
  /** What the control plane says, look by look; the last one stays. */
  readonly seen?: readonly (Seen | Error)[];
  /** In place of `seen`. */
  readonly look?: Presence['look'];
  readonly sink?: EvidenceSink;
  readonly data?: Partial<Assignment['data']>;
  readonly signal?: AbortSignal;
  readonly limits?: CollectDeps['limits'];
  readonly notes?: readonly string[];
}

/** Plays a scene, and holds what is said to its contract. */
async function played(scene: Scene) {
  const { script, seen = [RUNNING], data, notes, limits } = scene;
  const shell = scriptedShell(script, notes);
  const store = keyed();
  let looks = 0;
  const look = async () => {
    const now = seen[Math.min(looks++, seen.length - 1)];
    if (now === undefined || now instanceof Error) throw now;
    return now;
  };
  const deps: CollectDeps = {
    shell,
    presence: { look: scene.look ?? look },
    store: { sink: () => scene.sink ?? store.sink },
    limits: { statusMsMax: 0, ...limits },
  };
  const progress: string[] = [];
  const work = { worker: WORKER, progress: (phase: string) => void progress.push(phase) };
  const signal = scene.signal ?? new AbortController().signal;
  const { contract, data: said } = await collect(assignment(data), deps, work, signal);
  contract.shape.parse(said);
  return { contract, said, shell, progress, ...store };
}

export async function capture(scene: Scene) {
  const { contract, said, ...rest } = await played(scene);
  assert.equal(contract, EvidenceCapturedV1);
  const [archive, manifest] = ['evidence.tar.zst', 'manifest.jsonl'].map((name) =>
    rest.objects.get(name),
  );
  assert.ok(archive && manifest);
  const report = await verified({ archive, manifest });
  assert.deepEqual(report.findings, []);
  return { ...rest, said: EvidenceCapturedV1.shape.parse(said), report, manifest };
}

export async function failure(scene: Scene) {
  const { contract, said, ...rest } = await played(scene);
  assert.equal(contract, ExecutionFailedV1);
  return { ...rest, said: ExecutionFailedV1.shape.parse(said) };
}

/** A stream of two files, cut into its records. */
export function stream(state: 'complete' | 'partial' = 'complete') {
  const text = streamText();
  return [
    BEGINNING,
    text.file('/etc/passwd', 'root:x:0:0\n'),
    text.record('coverage', 'item=5 state=denied reason=permission files=0 bytes=0', '/root\n'),
    text.file('/etc/hosts', '127.0.0.1 localhost\n'),
    text.record(
      'footprint',
      'pid=5 watchdog=6 started=9 firstpid=5 lastpid=14 read=2 written=0 atime=relatime seconds=1',
    ),
    text.end(state),
  ];
}

export const WHOLE = stream();
export const CUT = WHOLE.slice(0, 3);

/** A store that takes nothing. */
export function refusingSink(error: Error): EvidenceSink {
  return { object: async () => Promise.reject(error) };
}
