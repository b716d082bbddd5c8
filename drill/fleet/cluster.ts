// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '@impound/lab/cluster.ts';
import type { AccountSpec, LabOptions, PodSpec } from '@impound/lab/options.ts';

export const CLUSTER = 'lab';
export const NAMESPACE = 'shop';
export const CONTAINER = 'main';
/** Any image name will do: the lab gives every ephemeral container a busybox. */
export const EPHEMERAL_IMAGE = 'registry.example/busybox:1';
/** Whose rights discovery and the rbac-checker have. */
export const LOOKER = accountOf('looker');

/** Pods of one container each: with a shell, or without one. */
export interface Pods {
  readonly shells: readonly string[];
  readonly shellless: readonly string[];
}

/** As many pods of each kind, with names to ask for. */
export function podNames(shells: number, shellless: number): Pods {
  const names = (kind: string, count: number) =>
    Array.from({ length: count }, (_, at) => `${kind}-${at}`);
  return { shells: names('shell', shells), shellless: names('bare', shellless) };
}

/** The account of one executor: by it the lab's audit tells who touched what. */
export function accountOf(executor: string): `${string}/${string}` {
  return `impound/${executor}`;
}

/** A pretend cluster with these pods, and an account for each executor. */
export function labOf(pods: Pods, executors: readonly string[]): LabOptions {
  const pod = (name: string, flavor: 'debian' | 'distroless'): PodSpec => ({
    name,
    containers: [{ name: CONTAINER, image: `registry.example/${name}:1`, flavor }],
  });
  return {
    cluster: CLUSTER,
    namespaces: [
      { name: 'impound' },
      {
        name: NAMESPACE,
        pods: [
          ...pods.shells.map((name) => pod(name, 'debian')),
          ...pods.shellless.map((name) => pod(name, 'distroless')),
        ],
      },
    ],
    accounts: [LOOKER, ...executors.map(accountOf)].map((name) => account(name)),
  };
}

function account(name: AccountSpec['name']): AccountSpec {
  const read = ['get', 'list', 'watch'];
  return {
    name,
    rules: [
      { resources: ['namespaces', 'nodes', 'pods', 'events', 'serviceaccounts'], verbs: read },
      { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: read },
      { resources: ['pods/log'], verbs: ['get'] },
      { resources: ['pods/exec'], verbs: ['get', 'create'] },
      { resources: ['pods/ephemeralcontainers'], verbs: ['get', 'patch'] },
    ],
  };
}

/** A clusters.json by which a service reaches the lab with the rights of that account. */
export async function clustersFile(
  directory: string,
  lab: Pick<Lab, 'kubeconfig'>,
  account: string,
): Promise<string> {
  const name = account.replace('/', '-');
  const kubeconfig = join(directory, `${name}.kubeconfig`);
  await writeFile(kubeconfig, lab.kubeconfig(account), { mode: 0o600 });
  const file = join(directory, `${name}.clusters.json`);
  await writeFile(file, JSON.stringify({ [CLUSTER]: { kubeconfig } }), { mode: 0o600 });
  return file;
}
