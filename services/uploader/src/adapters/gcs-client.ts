// SPDX-License-Identifier: Apache-2.0
import type { Bucket as GoogleBucket, Storage } from '@google-cloud/storage';
import { failureCode } from '@impound/bucket/s3-bucket.ts';
import type { StorePlace } from '@impound/bucket/store-url.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { StoreFault } from '../domain/evidence-store.ts';
import { storeFault } from './store-fault.ts';

/** How a bucket of Google Cloud Storage is spoken to. */
export interface GcsBucket {
  readonly storage: Storage;
  readonly bucket: GoogleBucket;
  readonly prefix: string;
}

const ATTEMPTS_MAX = 3;
const RETRIES_SECONDS_MAX = 15;
const RETRY_SECONDS_MAX = 2;

/** Loads the SDK, which is heavy, and makes a client. */
export async function openGcs(
  place: Extract<StorePlace, { kind: 'gcs' }>,
  key: Secret | undefined,
): Promise<GcsBucket> {
  const { IdempotencyStrategy, Storage } = await import('@google-cloud/storage');
  const account = key === undefined ? undefined : accountOf(key);
  const storage = new Storage({
    ...(place.endpoint === undefined ? {} : endpointOf(place.endpoint)),
    ...(account === undefined ? {} : { credentials: account, projectId: account.project_id }),
    retryOptions: {
      autoRetry: true,
      maxRetries: ATTEMPTS_MAX - 1,
      maxRetryDelay: RETRY_SECONDS_MAX,
      totalTimeout: RETRIES_SECONDS_MAX,
      // Only what has a precondition, or only reads, is sent twice.
      idempotencyStrategy: IdempotencyStrategy.RetryConditional,
    },
  });
  return { storage, bucket: storage.bucket(place.bucket), prefix: place.prefix };
}

/** The SDK logs in to no endpoint but Google's unless it is told to; a token needs TLS. */
function endpointOf(apiEndpoint: string) {
  return { apiEndpoint, useAuthWithCustomEndpoint: apiEndpoint.startsWith('https:') };
}

function accountOf(key: Secret) {
  try {
    const account = JSON.parse(key.reveal()) as Record<string, unknown>;
    const { client_email, private_key, project_id = 'unknown', universe_domain } = account;
    if (typeof client_email === 'string' && typeof private_key === 'string') {
      const domain = typeof universe_domain === 'string' ? { universe_domain } : {};
      return { client_email, private_key, project_id: String(project_id), ...domain };
    }
  } catch {
    // The reason would repeat a piece of the key.
  }
  const message = 'STORE_KEY for Google Cloud Storage is the JSON key of a service account';
  throw new StoreFault('store-refused', message);
}

/** The HTTP status and the first reason of what the SDK throws. */
function gcsFailure(error: unknown): { status: number | undefined; code: string } {
  const of = error as {
    readonly code?: unknown;
    readonly status?: unknown;
    readonly response?: { readonly status?: number };
    readonly errors?: readonly { readonly reason?: string }[];
  };
  const told = [of.response?.status, of.status, of.code].find((one) => /^\d{3}$/.test(String(one)));
  const code = of.errors?.[0]?.reason ?? failureCode(error);
  return { status: told === undefined ? undefined : Number(told), code };
}

/** Runs one request; what the SDK throws becomes a StoreFault, unless its status is expected. */
export async function gcsAsked<T>(
  doing: string,
  work: Promise<T>,
  expected: readonly number[] = [],
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    const failure = gcsFailure(error);
    if (expected.includes(failure.status ?? 0)) return undefined;
    throw storeFault(doing, failure, error);
  }
}
