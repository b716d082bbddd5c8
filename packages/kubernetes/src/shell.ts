// SPDX-License-Identifier: Apache-2.0
import type { Clusters } from './clusters.ts';
import { type ExecRun, exec } from './exec.ts';
import { translated } from './translated.ts';

/** One container, and the name of its cluster. */
export interface ContainerName {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * The shell of every executor whose clusters have the exec channel, however they are reached. Its
 * faults are Never and Later with the codes of KubernetesFault.
 */
export function kubernetesShell(clusters: Clusters) {
  return {
    run: async (target: ContainerName, argv: readonly string[], signal: AbortSignal) => {
      const { namespace, pod, container } = target;
      const connection = await clusters.connection(target.cluster).catch(translated);
      const order = { namespace, pod, container, argv };
      const run = await exec(connection, order, signal).catch(translated);
      return inHouseWords(run);
    },
  };
}

/** The same run, whose faults are those of the house. */
function inHouseWords(run: ExecRun): ExecRun {
  const exitCode = run.exitCode.catch(translated);
  exitCode.catch(() => undefined); // Whoever does not ask for it must not be killed by it.
  return {
    stdin: {
      write: (bytes) => run.stdin.write(bytes).catch(translated),
      end: () => run.stdin.end().catch(translated),
    },
    stdout: {
      [Symbol.asyncIterator]: async function* () {
        try {
          yield* run.stdout;
        } catch (error) {
          translated(error);
        }
      },
    },
    recycle: (chunk) => run.recycle(chunk),
    stderrTail: () => run.stderrTail(),
    exitCode,
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}
