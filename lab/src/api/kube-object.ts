// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';

/** The metadata every object has. */
export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** An object as lists hold it: kind and apiVersion are added when it is answered alone. */
export interface KubeObject {
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

/** A time as Kubernetes writes it: UTC, whole seconds. */
export function kubeTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Metadata for a new object. */
export function metadata(
  name: string,
  more: { readonly namespace?: string; readonly version: number; readonly [key: string]: unknown },
): Metadata {
  const { namespace, version, ...rest } = more;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: randomUUID(),
    resourceVersion: String(version),
    creationTimestamp: kubeTime(new Date()),
    ...rest,
  };
}
