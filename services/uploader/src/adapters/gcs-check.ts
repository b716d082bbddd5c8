// SPDX-License-Identifier: Apache-2.0
import { StoreFault } from '../domain/evidence-store.ts';
import { type Finding, lockFinding } from '../domain/finding.ts';
import type { Lock } from '../domain/lock.ts';
import { type GcsBucket, gcsAsked } from './gcs-client.ts';

/** What is looked at of a bucket; the types of the SDK lag behind the service. */
interface BucketFacts {
  readonly objectRetention?: { readonly mode?: string };
  readonly retentionPolicy?: { readonly retentionPeriod?: string | number };
  readonly iamConfiguration?: {
    readonly publicAccessPrevention?: string;
    readonly uniformBucketLevelAccess?: { readonly enabled?: boolean };
  };
}

/** Looks at a bucket without changing it. */
export async function examineGcs(
  { bucket }: GcsBucket,
  lock: Lock | undefined,
): Promise<readonly Finding[]> {
  try {
    const found = await gcsAsked(`open bucket ${bucket.name}`, bucket.getMetadata(), [404]);
    if (found === undefined) {
      const message = `there is no bucket ${bucket.name}: make it with object retention`;
      return [{ level: 'stop', code: 'store-refused', message }];
    }
    const facts = found[0] as BucketFacts;
    return [
      lockable(bucket.name, facts.objectRetention?.mode === 'Enabled', lock),
      facts.retentionPolicy === undefined ? undefined : inTheWay(bucket.name),
      isPrivate(bucket.name, facts),
    ].filter((one) => one !== undefined);
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
    return [{ level: 'stop', code: error.code as 'store-away', message: error.message }];
  }
}

function lockable(name: string, can: boolean, lock: Lock | undefined): Finding | undefined {
  return lockFinding(
    { can, lacks: `bucket ${name} has no object retention`, kept: 'objects' },
    lock,
  );
}

function inTheWay(name: string): Finding {
  const message =
    `bucket ${name} locks all objects by a policy of its own: parts could not be removed; ` +
    'lock objects instead, by RETENTION_MODE';
  return { level: 'warn', code: 'lock-in-the-way', message };
}

function isPrivate(name: string, { iamConfiguration }: BucketFacts): Finding | undefined {
  if (iamConfiguration?.publicAccessPrevention === 'enforced') return undefined;
  const message = `bucket ${name} does not prevent public access: set publicAccessPrevention`;
  return { level: 'warn', code: 'public-access', message };
}
