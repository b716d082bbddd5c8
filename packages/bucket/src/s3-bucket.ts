// SPDX-License-Identifier: Apache-2.0
import type { S3Client } from '@aws-sdk/client-s3';
import type { Secret } from '@impound/runtime/secret.ts';
import type { StorePlace } from './store-url.ts';

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
  key: S3Key | undefined,
  scope: AsyncDisposableStack,
): Promise<Bucket> {
  const sdk = await import('@aws-sdk/client-s3');
  const { bucket, prefix, endpoint } = place;
  const region = place.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const client = new sdk.S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(key === undefined ? {} : { credentials: key }),
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

/** What a bucket is opened with, where the SDK does not find it by itself. */
export interface S3Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** How such a key is written. */
export const S3_KEY_FORM = 'ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]';

/** Reads S3_KEY_FORM; undefined: it is none. */
export function s3Key(key: Secret): S3Key | undefined {
  const [accessKeyId = '', secretAccessKey = '', ...token] = key.reveal().trim().split(':');
  if (accessKeyId === '' || secretAccessKey === '') return undefined;
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

/** The code of an error from the system or an SDK, or of what caused it. */
export function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code !== '') return code.slice(0, 64);
  return error.cause === undefined ? '' : failureCode(error.cause);
}
