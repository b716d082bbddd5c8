// SPDX-License-Identifier: Apache-2.0

import type { StorePlace } from '@impound/bucket/store-url.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import type * as z from 'zod';
import type { storeConfig } from '../config.ts';
import { type EvidenceStore, StoreFault } from '../domain/evidence-store.ts';
import type { Finding } from '../domain/finding.ts';
import type { Lock } from '../domain/lock.ts';
import { openFileStore } from './file-store.ts';

/** Which store, and how evidence is kept there. */
export interface StoreOptions {
  readonly place: StorePlace;
  readonly key: Secret | undefined;
  readonly lock: Lock | undefined;
  readonly bytesMax: number | undefined;
}

/** What the environment says about the store. */
export function storeOptions(given: z.output<typeof storeConfig>): StoreOptions {
  const { RETENTION_MODE: mode, RETENTION_DAYS: days } = given;
  return {
    place: given.STORE_URL,
    key: given.STORE_KEY,
    lock: mode === 'none' ? undefined : { mode, days, now: Date.now },
    bytesMax: given.STORE_BYTES_MAX,
  };
}

/** A store, and what is to be said about it. */
export interface Opened {
  readonly store: EvidenceStore;
  readonly findings: readonly Finding[];
}

/**
 * Looks at a store and opens it. The SDK of a cloud is loaded only where that cloud is used. Throws
 * StoreFault where evidence would not be safe there.
 */
export async function openStore(
  options: StoreOptions,
  scope: AsyncDisposableStack,
): Promise<Opened> {
  const examined = await examine(options, scope);
  const stops = examined.findings.filter(({ level }) => level === 'stop');
  if (stops.length > 0) {
    const because = stops.map(({ message }) => message).join('; ');
    throw new StoreFault('store-refused', `the evidence store cannot be used: ${because}`);
  }
  return { store: await examined.open(), findings: examined.findings };
}

interface Examined {
  readonly findings: readonly Finding[];
  readonly open: () => Promise<EvidenceStore>;
}

/** Looks at a store, whatever it finds, and opens it only when asked to. */
export async function examine(
  options: StoreOptions,
  scope: AsyncDisposableStack,
): Promise<Examined> {
  const { place, key, lock, bytesMax } = options;
  switch (place.kind) {
    case 'file':
      return {
        findings: fileFindings(lock),
        open: () => openFileStore({ directory: place.directory, bytesMax }, scope),
      };
    case 's3': {
      const { openBucket } = await import('./s3-client.ts');
      const { examineBucket } = await import('./s3-check.ts');
      const bucket = await openBucket(place, key, scope);
      const { versioned, findings } = await examineBucket(bucket, lock);
      const open = async () =>
        (await import('./s3-store.ts')).s3Store({ bucket, versioned, lock }, scope);
      return { findings, open };
    }
    case 'azure-blob': {
      const { openContainer } = await import('./azure-client.ts');
      const { examineContainer } = await import('./azure-check.ts');
      const container = await openContainer(place, key);
      const findings = await examineContainer(container, lock);
      const open = async () => {
        const { azurePlace } = await import('./azure-place.ts');
        const { partObjects } = await import('./part-objects.ts');
        return partObjects(azurePlace(container, lock), scope);
      };
      return { findings, open };
    }
    case 'gcs': {
      const { openGcs } = await import('./gcs-client.ts');
      const { examineGcs } = await import('./gcs-check.ts');
      const gcs = await openGcs(place, key);
      const open = async () => {
        const { gcsPlace } = await import('./gcs-place.ts');
        const { partObjects } = await import('./part-objects.ts');
        return partObjects(gcsPlace(gcs, lock), scope);
      };
      return { findings: await examineGcs(gcs, lock), open };
    }
  }
}

function fileFindings(lock: Lock | undefined): readonly Finding[] {
  if (lock === undefined) return [];
  const message = 'a directory locks nothing: set RETENTION_MODE=none, or use an object store';
  return [{ level: 'stop', code: 'no-lock', message }];
}
