// SPDX-License-Identifier: Apache-2.0
import type { Run, Shell } from '@impound/executor/shell.ts';
import type { Clusters } from '@impound/kubernetes/clusters.ts';
import { exec } from '@impound/kubernetes/exec.ts';
import { translated } from './translated.ts';

/** Runs a program in a container over the exec channel of the Kubernetes API. */
export function kubernetesShell(clusters: Clusters): Shell {
  return {
    run: async (target, argv, signal) => {
      const { namespace, pod, container } = target;
      const connection = await clusters.connection(target.cluster).catch(translated);
      const order = { namespace, pod, container, argv };
      const run = await exec(connection, order, signal).catch(translated);
      return inHouseWords(run);
    },
  };
}

/** The same run, whose faults are those of the house. */
function inHouseWords(run: Run): Run {
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
    stderrTail: () => run.stderrTail(),
    exitCode,
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
  };
}
