// SPDX-License-Identifier: Apache-2.0
import { type Bucket, s3Failure } from '@impound/bucket/s3-bucket.ts';
import { StoreFault } from '../domain/evidence-store.ts';
import { type Finding, lockFinding } from '../domain/finding.ts';
import type { Lock } from '../domain/lock.ts';
import { asked } from './s3-client.ts';
import { write } from './s3-object.ts';
import { storeFault } from './store-fault.ts';

/** What a bucket is like. */
export interface S3Examined {
  readonly versioned: boolean;
  readonly findings: readonly Finding[];
}

/** Looks at a bucket without changing evidence; a bucket without versions gets an empty `probe`. */
export async function examineBucket(bucket: Bucket, lock: Lock | undefined): Promise<S3Examined> {
  try {
    await reach(bucket);
    const versioned = await hasVersions(bucket);
    const findings = [
      versioned ? undefined : await onceOnly(bucket),
      await lockable(bucket, lock),
      await isPrivate(bucket),
      skewed(bucket),
    ];
    return { versioned, findings: findings.filter((one) => one !== undefined) };
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
    const code = error.code as 'store-away';
    return { versioned: false, findings: [{ level: 'stop', code, message: error.message }] };
  }
}

async function reach({ sdk, client, bucket }: Bucket): Promise<void> {
  const request = new sdk.HeadBucketCommand({ Bucket: bucket });
  await client.send(request).catch((error: unknown) => {
    const failure = s3Failure(error);
    if (failure.status !== 404) throw storeFault(`open bucket ${bucket}`, failure, error);
    const message = `there is no bucket ${bucket}: make it with versions and Object Lock`;
    throw new StoreFault('store-refused', message, { cause: error });
  });
}

async function hasVersions({ sdk, client, bucket }: Bucket): Promise<boolean> {
  const work = client.send(new sdk.GetBucketVersioningCommand({ Bucket: bucket }));
  return (await asked('tell whether it keeps versions', work))?.Status === 'Enabled';
}

async function onceOnly(bucket: Bucket): Promise<Finding> {
  const key = `${bucket.prefix}probe`;
  await write(bucket, key, '', true);
  const twice = (await write(bucket, key, '', true)) !== undefined;
  if (!twice) {
    const message = `bucket ${bucket.bucket} keeps no versions: turn them on, so that nothing is lost`;
    return { level: 'warn', code: 'no-versions', message };
  }
  const message =
    `bucket ${bucket.bucket} keeps no versions and lets an object be written twice: ` +
    'turn versions on, or evidence could be replaced';
  return { level: 'stop', code: 'replaceable', message };
}

async function lockable(
  { sdk, client, bucket }: Bucket,
  lock: Lock | undefined,
): Promise<Finding | undefined> {
  const request = new sdk.GetObjectLockConfigurationCommand({ Bucket: bucket });
  const none = ['ObjectLockConfigurationNotFoundError', 'NoSuchObjectLockConfiguration'];
  const found = await asked('tell of its Object Lock', client.send(request), none);
  const can = found?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
  // A rule of the bucket's own locks without being asked.
  if (can && found.ObjectLockConfiguration?.Rule !== undefined) return undefined;
  return lockFinding({ can, lacks: `bucket ${bucket} has no Object Lock`, kept: 'objects' }, lock);
}

async function isPrivate({ sdk, client, bucket }: Bucket): Promise<Finding | undefined> {
  const request = new sdk.GetPublicAccessBlockCommand({ Bucket: bucket });
  const work = client.send(request).then(
    (found) => Object.values(found.PublicAccessBlockConfiguration ?? {}),
    (error: unknown) => {
      const { code, status } = s3Failure(error);
      if (code === 'NoSuchPublicAccessBlockConfiguration') return [false];
      // Stores other than AWS often do not know the question.
      if (status === 501 || status === 405 || status === 400) return undefined;
      throw storeFault('tell whether it is public', s3Failure(error), error);
    },
  );
  const blocks = await work;
  if (blocks === undefined) {
    const message = `whether bucket ${bucket} is public cannot be asked: look yourself`;
    return { level: 'warn', code: 'not-known', message };
  }
  if (blocks.length > 0 && blocks.every(Boolean)) return undefined;
  const message = `bucket ${bucket} does not block public access: turn all four blocks on`;
  return { level: 'warn', code: 'public-access', message };
}

const SKEW_MS_MAX = 60_000;

/** The SDK notes by how much the store's clock differs. */
function skewed({ client }: Bucket): Finding | undefined {
  const ms = client.config.systemClockOffset;
  if (Math.abs(ms) <= SKEW_MS_MAX) return undefined;
  const message = `this machine's clock differs from the store's by ${Math.round(ms / 1_000)} s: set it`;
  return { level: 'warn', code: 'clock-differs', message };
}
