// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { getJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { list } from './list.ts';
import { Metadata } from './pod-object.ts';
import { flag, maybeText, parsed, section, tolerantArray } from './shape.ts';

const NodeObject = z.object({
  metadata: Metadata,
  spec: section(z.object({ providerID: maybeText, unschedulable: flag })),
  status: section(
    z.object({
      addresses: tolerantArray(z.object({ type: z.string(), address: z.string() })),
      conditions: tolerantArray(z.object({ type: z.string(), status: z.string() })),
      declaredFeatures: tolerantArray(z.string()),
      nodeInfo: section(
        z.object({
          machineID: maybeText,
          systemUUID: maybeText,
          bootID: maybeText,
          kernelVersion: maybeText,
          osImage: maybeText,
          containerRuntimeVersion: maybeText,
          kubeletVersion: maybeText,
          operatingSystem: maybeText,
          architecture: maybeText,
        }),
      ),
    }),
  ),
});

/** A node: `spec.providerID` leads to the cloud's instance. */
export type ClusterNode = z.output<typeof NodeObject>;

const NamespaceObject = z.object({
  metadata: Metadata,
  status: section(z.object({ phase: z.string().catch('') })),
});

/** A namespace; its labels hold the Pod Security level. */
export type ClusterNamespace = z.output<typeof NamespaceObject>;

/** Reads one node. Needs get on nodes. */
export async function getNode(
  connection: ClusterConnection,
  name: string,
  signal: AbortSignal,
): Promise<ClusterNode> {
  const json = await getJson(connection, { path: ['api', 'v1', 'nodes', name] }, signal);
  return parsed(NodeObject, json, 'Node');
}

/** Lists namespaces, at most `itemsMax`. */
export async function listNamespaces(
  connection: ClusterConnection,
  { itemsMax }: { readonly itemsMax: number },
  signal: AbortSignal,
): Promise<{ readonly namespaces: readonly ClusterNamespace[]; readonly cut: boolean }> {
  const found = await list(connection, { path: ['api', 'v1', 'namespaces'], itemsMax }, signal);
  const namespaces = found.items.map((item) => parsed(NamespaceObject, item, 'Namespace'));
  return { namespaces, cut: found.cut };
}
