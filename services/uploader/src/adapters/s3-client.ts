// SPDX-License-Identifier: Apache-2.0
import * as opening from '@impound/bucket/s3-bucket.ts';
import type { StorePlace } from '@impound/bucket/store-url.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { StoreFault } from '../domain/evidence-store.ts';
import { storeFault } from './store-fault.ts';

/** Opens a bucket with STORE_KEY. Throws StoreFault where that is none. */
export async function openBucket(
  place: Extract<StorePlace, { kind: 's3' }>,
  key: Secret | undefined,
  scope: AsyncDisposableStack,
): Promise<opening.Bucket> {
  const read = key && opening.s3Key(key);
  if (key !== undefined && read === undefined) {
    throw new StoreFault('store-refused', `STORE_KEY for S3 is ${opening.S3_KEY_FORM}`);
  }
  return await opening.openBucket(place, read, scope);
}

/** Runs one request; what the SDK throws becomes a StoreFault, unless it is one of `expected`. */
export async function asked<T>(
  doing: string,
  work: Promise<T>,
  expected: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    const failure = opening.s3Failure(error);
    if (expected.includes(failure.code)) return undefined;
    throw storeFault(doing, failure, error);
  }
}

/** SHA-256 in hex as S3 writes it. */
export function base64Of(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
}

/** No list of ours has more pages of 1,000: a store that says otherwise goes round in circles. */
const PAGES_MAX = 1_000;

/** Asks for one page after the other; `ask` gives what the next one begins behind. */
export async function everyPage<After extends object>(
  ask: (after: After) => Promise<After | undefined>,
): Promise<void> {
  let after: After | undefined = {} as After;
  for (let page = 0; page < PAGES_MAX && after !== undefined; page += 1) after = await ask(after);
}
