// SPDX-License-Identifier: Apache-2.0
import type { S3Client } from '@aws-sdk/client-s3';
import type { Secret } from '@impound/runtime/secret.ts';
import { StoreFault } from '../domain/evidence-store.ts';
import type { StorePlace } from '../domain/store-url.ts';
import { failureCode, storeFault } from './store-fault.ts';

/** How a bucket is spoken to. */
export interface Bucket {
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
}

const CONNECT_MS_MAX = 5_000;
/** A store that says nothing for so long is away. */
const SILENCE_MS_MAX = 30_000;
const ATTEMPTS_MAX = 3;

const nothing = () => {};
/** What the SDK has to say goes past our log and may name whatever it likes. */
const QUIET = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Loads the SDK, which is heavy, and makes a client that lives as long as the scope. */
export async function openBucket(
  place: Extract<StorePlace, { kind: 's3' }>,
  key: Secret | undefined,
  scope: AsyncDisposableStack,
): Promise<Bucket> {
  const sdk = await import('@aws-sdk/client-s3');
  const { bucket, prefix, endpoint } = place;
  const region = place.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const client = new sdk.S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(key === undefined ? {} : { credentials: credentialsOf(key) }),
    // The default puts the checksum of an empty body into what is signed for others to send.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: ATTEMPTS_MAX,
    logger: QUIET,
    requestHandler: { connectionTimeout: CONNECT_MS_MAX, socketTimeout: SILENCE_MS_MAX },
  });
  scope.defer(() => client.destroy());
  return { sdk, client, bucket, prefix };
}

function credentialsOf(key: Secret) {
  const [accessKeyId = '', secretAccessKey = '', ...token] = key.reveal().trim().split(':');
  if (accessKeyId === '' || secretAccessKey === '') {
    const message = 'STORE_KEY for S3 is ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]';
    throw new StoreFault('store-refused', message);
  }
  const sessionToken = token.join(':');
  return { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) };
}

/** The HTTP status and code of what the SDK throws. */
export function s3Failure(error: unknown): { status: number | undefined; code: string } {
  const of = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  const status = of.$metadata?.httpStatusCode;
  // Of a network fault the SDK's name says less than the system's code.
  const code = status === undefined ? failureCode(error) || (of.name ?? '') : (of.name ?? '');
  return { status: status === 200 ? undefined : status, code };
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
    const failure = s3Failure(error);
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
