// SPDX-License-Identifier: Apache-2.0
import type {
  BlobSASSignatureValues,
  ContainerClient,
  UserDelegationKey,
} from '@azure/storage-blob';
import { failureCode } from '@impound/bucket/s3-bucket.ts';
import type { StorePlace } from '@impound/bucket/store-url.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { StoreFault } from '../domain/evidence-store.ts';
import { storeFault } from './store-fault.ts';

/** How a container is spoken to. */
export interface Container {
  readonly sdk: typeof import('@azure/storage-blob');
  readonly client: ContainerClient;
  /** For streams, which cannot be sent twice. */
  readonly once: ContainerClient;
  readonly prefix: string;
  /** The query of a SAS for one blob; a secret. */
  readonly sas: (of: Omit<BlobSASSignatureValues, 'containerName'>) => Promise<string>;
}

const SILENCE_MS_MAX = 30_000;
const ATTEMPTS_MAX = 3;

/** Loads the SDK, which is heavy, and makes a client. */
export async function openContainer(
  place: Extract<StorePlace, { kind: 'azure-blob' }>,
  key: Secret | undefined,
): Promise<Container> {
  const sdk = await import('@azure/storage-blob');
  const { account, container, prefix, endpoint } = place;
  const shared = key === undefined ? undefined : sharedKey(sdk, account, key);
  const credential = shared ?? (await ownIdentity());
  const clientOf = (maxTries: number) =>
    new sdk.BlobServiceClient(endpoint, credential, {
      retryOptions: { maxTries, tryTimeoutInMs: SILENCE_MS_MAX, retryDelayInMs: 500 },
    });
  const service = clientOf(ATTEMPTS_MAX);
  const delegate = delegated(sdk, service);
  return {
    sdk,
    client: service.getContainerClient(container),
    once: clientOf(1).getContainerClient(container),
    prefix,
    sas: async (of) => {
      const values = { ...of, containerName: container };
      const query =
        shared === undefined
          ? sdk.generateBlobSASQueryParameters(values, await delegate(), account)
          : sdk.generateBlobSASQueryParameters(values, shared);
      return query.toString();
    },
  };
}

function sharedKey(sdk: Container['sdk'], account: string, key: Secret) {
  const text = key.reveal().trim();
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(text)) {
    const message = 'STORE_KEY for Azure is the base64 key of the storage account';
    throw new StoreFault('store-refused', message);
  }
  return new sdk.StorageSharedKeyCredential(account, text);
}

/** Workload identity, managed identity, or what else the environment has. */
async function ownIdentity() {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential();
}

const HOUR_MS = 3_600_000;
const DELEGATION_MS = 12 * HOUR_MS;

/** SAS without an account key are signed by a key that the identity may ask for. */
function delegated(
  sdk: Container['sdk'],
  service: InstanceType<Container['sdk']['BlobServiceClient']>,
): () => Promise<UserDelegationKey> {
  let held: { readonly key: UserDelegationKey; readonly untilMs: number } | undefined;
  return async () => {
    if (held === undefined || held.untilMs - HOUR_MS < Date.now()) {
      const untilMs = Date.now() + DELEGATION_MS;
      const work = service.getUserDelegationKey(new Date(Date.now() - HOUR_MS), new Date(untilMs));
      const key = await azureAsked(sdk, 'give a delegation key', work);
      if (key === undefined) throw new StoreFault('store-away', 'no delegation key was given');
      held = { key, untilMs };
    }
    return held.key;
  };
}

/** Runs one request; what the SDK throws becomes a StoreFault, unless it is one of `expected`. */
export async function azureAsked<T>(
  sdk: Container['sdk'],
  doing: string,
  work: Promise<T>,
  expected: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    const rest = error instanceof sdk.RestError ? error : undefined;
    // An answer without a body has its code in a header.
    const { errorCode } = (rest?.details ?? {}) as { readonly errorCode?: string };
    const code = rest?.code ?? errorCode ?? failureCode(error);
    if (expected.includes(code)) return undefined;
    throw storeFault(doing, { status: rest?.statusCode, code }, error);
  }
}
