// SPDX-License-Identifier: Apache-2.0
// An executor whose targets are scripts in memory: the job, the collection, the writer and the way
// to the store are those of production, and only the shell is not.
import { existsSync } from 'node:fs';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import { claim } from '@impound/executor/claim.ts';
import { type CollectDeps, collect, collectionFailed } from '@impound/executor/collect.ts';
import type { Run, Shell } from '@impound/executor/shell.ts';
import { BEGINNING, streamText } from '@impound/executor/testing/scripted-shell.ts';
import { uploaderStore } from '@impound/executor/uploader-store.ts';
import { run } from '@impound/runtime/run.ts';
import { job, service } from '@impound/runtime/service.ts';
import { wait } from '@impound/runtime/wait.ts';
import * as z from 'zod';

/** As many as one process may hold open in a drill; in production it is four. */
const SLOTS = 512;
/** A collector gives a sign of life at least so often. */
const BEAT_MS = 10_000;

/**
 * HOLD_MS: a collection takes up to so long between its first file and its last. HOLD_FILE: none
 * ends as long as this file is there.
 */
const config = z.object({
  HOLD_MS: z.coerce.number().int().min(0).default(0),
  HOLD_FILE: z.string().optional(),
});

/** How long one collection takes at least, and what else it waits for. */
interface Hold {
  readonly ms: number;
  held(): boolean;
}

async function* output(hold: Hold, signal: AbortSignal): AsyncGenerator<Buffer> {
  const text = streamText();
  yield Buffer.from(BEGINNING + text.file('/etc/passwd', 'root:x:0:0\n'));
  for (let left = hold.ms; left > 0 || hold.held(); left -= BEAT_MS) {
    await wait(left > 0 ? Math.min(left, BEAT_MS) : BEAT_MS, signal);
    if (signal.aborted) return;
    yield Buffer.from(text.record('beat', 'uptime=1'));
  }
  const coverage = 'item=5 state=got reason=- files=1 bytes=11';
  yield Buffer.from(text.record('coverage', coverage, '/etc/\n') + text.end());
}

/** A container that answers by a script, each at a pace of its own. */
function scripted(holdMsMax: number, file: string | undefined): Shell {
  const held = () => file !== undefined && existsSync(file);
  return {
    run: async (target, _argv, signal): Promise<Run> => {
      const share = Number.parseInt(/\d+$/.exec(target.pod)?.[0] ?? '0', 10) % 10;
      const ms = Math.round((holdMsMax * (1 + share)) / 10);
      return {
        stdin: { write: async () => undefined, end: async () => undefined },
        stdout: output({ ms, held }, signal),
        stderrTail: () => '',
        exitCode: Promise.resolve(0),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

const { containerId } = TargetResolvedV1.example.container;

await run(
  service({
    name: 'executor-kubernetes',
    config,
    open: async ({ HOLD_MS, HOLD_FILE }, _scope, house): Promise<CollectDeps> => ({
      shell: scripted(HOLD_MS, HOLD_FILE),
      presence: { look: async () => ({ state: 'running', containerId }) },
      store: uploaderStore(house, { waitMs: 300_000 }),
    }),
    says: [ExecutionStartedV1, EvidenceCapturedV1, ExecutionFailedV1],
    hears: [
      job(
        AcquisitionAssignedV1,
        { route: 'kubernetes', slots: SLOTS, claim, otherwise: collectionFailed },
        collect,
      ),
    ],
    answers: [],
  }),
);
