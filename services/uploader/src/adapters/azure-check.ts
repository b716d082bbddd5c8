// SPDX-License-Identifier: Apache-2.0
import { StoreFault } from '../domain/evidence-store.ts';
import { type Finding, lockFinding } from '../domain/finding.ts';
import type { Lock } from '../domain/lock.ts';
import { azureAsked, type Container } from './azure-client.ts';

/** Looks at a container without changing it. */
export async function examineContainer(
  { sdk, client }: Container,
  lock: Lock | undefined,
): Promise<readonly Finding[]> {
  const name = client.containerName;
  try {
    const work = client.getProperties();
    const found = await azureAsked(sdk, `open container ${name}`, work, ['ContainerNotFound']);
    if (found === undefined) {
      const message = `there is no container ${name}: make it with immutable versions`;
      return [{ level: 'stop', code: 'store-refused', message }];
    }
    return [
      lockable(name, found.isImmutableStorageWithVersioningEnabled === true, lock),
      found.hasImmutabilityPolicy === true ? inTheWay(name) : undefined,
      found.blobPublicAccess === undefined ? undefined : open(name),
      skewed(found.date),
    ].filter((one) => one !== undefined);
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
    return [{ level: 'stop', code: error.code as 'store-away', message: error.message }];
  }
}

function lockable(name: string, can: boolean, lock: Lock | undefined): Finding | undefined {
  return lockFinding(
    { can, lacks: `container ${name} has no immutable versions`, kept: 'blobs' },
    lock,
  );
}

function inTheWay(name: string): Finding {
  const message =
    `container ${name} locks all blobs by a policy of its own: parts could not be removed; ` +
    'lock versions instead, by RETENTION_MODE';
  return { level: 'warn', code: 'lock-in-the-way', message };
}

function open(name: string): Finding {
  const message = `container ${name} can be read by everybody: turn public access off`;
  return { level: 'warn', code: 'public-access', message };
}

const SKEW_MS_MAX = 60_000;

function skewed(date: Date | undefined): Finding | undefined {
  const ms = date === undefined ? 0 : date.getTime() - Date.now();
  if (Math.abs(ms) <= SKEW_MS_MAX) return undefined;
  const message = `this machine's clock differs from the store's by ${Math.round(ms / 1_000)} s: set it`;
  return { level: 'warn', code: 'clock-differs', message };
}
