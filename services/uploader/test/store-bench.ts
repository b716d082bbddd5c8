// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import type { EvidenceObject, StoredObject } from '@impound/contracts/evidence.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import { readConfig } from '@impound/runtime/config.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openStore, storeOptions } from '../src/adapters/open-store.ts';
import { storeConfig } from '../src/config.ts';
import { deviations } from '../src/domain/deviations.ts';
import type { EvidenceStore, Part } from '../src/domain/evidence-store.ts';
import { SessionName } from '../src/domain/object-name.ts';
import type { FaultyProxy } from './faulty-proxy.ts';

/** A store that has been made ready for a test. */
export interface Subject {
  /** Keys of storeConfig. */
  readonly environment: Readonly<Record<string, string>>;
  /** What all requests go through; absent for a directory. */
  readonly proxy?: FaultyProxy;
  /** Puts other bytes in the place of an object, past the uploader. */
  readonly replace: (key: string, bytes: Uint8Array) => Promise<void>;
  /** Puts other bytes in the place of an object with every word that a writer can copy; in a place,
   * by its STORE_URL, where that makes no other version. Absent for a directory. */
  readonly forge?: {
    readonly at: string;
    readonly put: (object: EvidenceObject, bytes: Uint8Array) => Promise<void>;
    /** What the server tells bytes by. */
    readonly by: string;
  };
  /** Deletes a version for good, past the uploader; absent where the server knows no locks. */
  readonly remove?: (key: string, versionId: string | undefined) => Promise<void>;
  /** Has a lock end in an hour, as somebody does who may; absent where nothing is locked. */
  readonly shorten?: (key: string, versionId: string | undefined) => Promise<void>;
  /** STORE_URL of a bucket or container that is not there. */
  readonly nowhere?: string;
  /** STORE_URL of a place where nothing can be locked. */
  readonly unlocked?: string;
  /** True where what is replaced stays as an older version, which then counts. */
  readonly keepsVersions: boolean;
  /** True where the digest of each part is compared and told by the store. */
  readonly knowsDigests: boolean;
  /** True where the server keeps no digest with a part that its sender puts there. */
  readonly losesSent?: boolean;
  /** True where a wrong whole is refused when it is completed, not only when it is verified. */
  readonly hashesWhole: boolean;
}

export const MIB = 1_048_576;
export const LIMIT = { timeout: 120_000 };

/** Somebody else's server may need several tries. */
export const PREPARE_LIMIT = { timeout: 290_000 };
export const never: AbortSignal = AbortSignal.any([]);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** An upload of an acquisition that nobody else has. */
export function newSession(changes: object = {}): SessionName {
  return SessionName.parse({
    ...UploaderOpenV1.example.request,
    acquisitionId: newId(),
    ...changes,
  });
}

export function partOf(number: number, bytes: Uint8Array): Part {
  return { number, bytes: bytes.length, sha256: sha256(bytes) };
}

export function wholeOf(...parts: readonly Uint8Array[]) {
  const all = Buffer.concat(parts);
  return { parts: parts.length, bytes: all.length, sha256: sha256(all) };
}

export async function* contentOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

export async function put(
  store: EvidenceStore,
  session: SessionName,
  ...[number, bytes]: [number, Uint8Array]
): Promise<void> {
  await store.put(session, partOf(number, bytes), contentOf(bytes), never);
}

export async function upload(
  store: EvidenceStore,
  session: SessionName,
  ...parts: readonly Uint8Array[]
) {
  await store.open(session);
  for (const [index, bytes] of parts.entries()) await put(store, session, index + 1, bytes);
  return await store.complete(session, wholeOf(...parts), never);
}

/** Opens the store as a process of its own would, for one test. */
export async function openIt(t: TestContext, subject: Subject, changes: object = {}) {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const given = readConfig(storeConfig, { ...subject.environment, ...changes });
  return await openStore(storeOptions(given), scope);
}

/** What is on record of an object that was stored just now. */
export async function recorded(
  store: EvidenceStore,
  session: SessionName,
  object: EvidenceObject,
): Promise<StoredObject> {
  const found = await store.verify({ object: session, cause: 'recorded' }, never);
  const { versionId, fingerprint } = found ?? {};
  const retention = await store.retain({ object: session, versionId });
  const version = versionId === undefined ? {} : { versionId };
  return {
    ...object,
    ...version,
    ...(fingerprint && { fingerprint }),
    retention,
    verifiedAt: timeOf(Date.now()),
  };
}

/** What of it is not held as on record. */
export async function lookAgain(
  store: EvidenceStore,
  session: SessionName,
  stored: StoredObject,
): Promise<readonly string[]> {
  const version = { object: session, versionId: stored.versionId };
  const held = await store.inspect(version, millisecondsOf(stored.verifiedAt));
  return deviations(stored, held, Date.now()).map(({ code }) => code);
}
