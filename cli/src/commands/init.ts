// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { connectionFromKubeconfig } from '@impound/kubernetes/connection.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Here } from '../command.ts';
import { addDeployedCluster, type DeployedCluster, makeDeployment } from '../deployment.ts';
import { EXIT, Exit } from '../exit-code.ts';

/** Makes the keys and secrets of a deployment in containers, and names clusters to it. */
export async function init(here: Here): Promise<number> {
  const { args, printer } = here;
  const [given, ...more] = args.positionals;
  if (given === undefined || more.length > 0) {
    throw new Exit(EXIT.usage, 'init takes one directory: where secrets and settings are kept');
  }
  const directory = resolve(given);
  if (!/^[\w./-]+$/.test(directory)) {
    const letters = 'letters, digits and . _ - only: container tools read it, too';
    throw new Exit(EXIT.usage, `${directory}: name a directory with ${letters}`);
  }
  const cluster = await clusterOf(here);
  const made = await makeDeployment(directory);
  for (const [folder, one] of cluster) await addDeployedCluster(directory, folder, one);
  printer.value('deployment', { directory, made, cluster: cluster[0]?.[1].name });
  for (const name of made) printer.line(`made ${join(directory, name)}`);
  for (const [folder, { name }] of cluster) printer.line(`${folder} knows the cluster ${name}`);
  printer.line(`next: docker compose --env-file ${directory}/compose.env up --build --wait`);
  return EXIT.ok;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The cluster of the command line, for each of the two folders that services read. */
async function clusterOf({ args }: Here) {
  const path = args.text('kubeconfig');
  const name = args.text('cluster');
  if (path === undefined || name === undefined) {
    const others = [path, name, args.text('reader'), args.text('context')];
    if (others.every((one) => one === undefined)) return [];
    throw new Exit(EXIT.usage, '--cluster NAME and --kubeconfig F go together');
  }
  if (!NAME.test(name)) throw new Exit(EXIT.usage, '--cluster: letters, digits and . _ - only');
  const context = args.text('context');
  const executor = { name, context, kubeconfig: await kubeconfigOf('kubeconfig', path, context) };
  const reader = args.text('reader');
  const discovery =
    reader === undefined
      ? executor
      : { name, kubeconfig: await kubeconfigOf('reader', reader, undefined) };
  return [['executor', executor] as const, ['discovery', discovery] as const] satisfies (readonly [
    string,
    DeployedCluster,
  ])[];
}

/** Checked here, where somebody reads the answer: in a container there is no file beside it. */
async function kubeconfigOf(option: string, path: string, context: string | undefined) {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Exit(EXIT.usage, `--${option} ${path} cannot be read: ${cause.code}`, { cause });
  });
  await connectionFromKubeconfig({ text }, { context }).catch((cause: unknown) => {
    throw new Exit(EXIT.usage, `--${option} ${path}: ${messageOf(cause)}`, { cause });
  });
  return text;
}
