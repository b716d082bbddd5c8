// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { getJson } from './api.ts';
import type { ClusterConnection } from './connection.ts';
import { Metadata } from './pod-object.ts';
import { parsed } from './shape.ts';

/** A Secret or ConfigMap by name. */
export interface DataName {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

/** What may be put on record about a Secret or ConfigMap: never a value. */
export interface DataDigest extends DataName {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly keys: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

const entries = z.record(z.string(), z.string()).nullish();
const DataObject = z.object({ metadata: Metadata, data: entries, binaryData: entries });

/**
 * Reads a Secret or ConfigMap and returns its version and a SHA-256 over its data: for each key in
 * byte order, length of the key, key, length of the value, value; lengths are 8 bytes, big-endian.
 * A short secret can be guessed from its hash, so the hash is to be kept like the evidence itself.
 */
export async function digestData(
  connection: ClusterConnection,
  name: DataName,
  signal: AbortSignal,
): Promise<DataDigest> {
  const resource = name.kind === 'Secret' ? 'secrets' : 'configmaps';
  const path = ['api', 'v1', 'namespaces', name.namespace, resource, name.name];
  const json = await getJson(connection, { path }, signal);
  const { metadata, data, binaryData } = parsed(DataObject, json, name.kind);
  const encoding = name.kind === 'Secret' ? 'base64' : 'utf8';
  const pairs = [...pairsOf(data ?? {}, encoding), ...pairsOf(binaryData ?? {}, 'base64')];
  return {
    ...name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    keys: pairs.length,
    sha256: digestOf(pairs),
  };
}

type Pair = readonly [Buffer, Buffer];

function pairsOf(values: Readonly<Record<string, string>>, encoding: BufferEncoding): Pair[] {
  return Object.entries(values).map(([key, value]) => [
    Buffer.from(key),
    Buffer.from(value, encoding),
  ]);
}

/** The digest over pairs in byte order of their keys. */
export function digestOf(pairs: readonly Pair[]): string {
  const hash = createHash('sha256');
  for (const pair of pairs.toSorted(([a], [b]) => Buffer.compare(a, b))) {
    for (const part of pair) {
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(part.byteLength));
      hash.update(length).update(part);
    }
  }
  return hash.digest('hex');
}
