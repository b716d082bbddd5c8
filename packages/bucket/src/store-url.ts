// SPDX-License-Identifier: Apache-2.0

/** Where evidence is kept, as STORE_URL says it. */
export type StorePlace =
  | { readonly kind: 'file'; readonly directory: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly prefix: string;
      /** Absent: what the environment of the SDK says. */
      readonly region: string | undefined;
      readonly endpoint: string | undefined;
    }
  | {
      readonly kind: 'azure-blob';
      readonly account: string;
      readonly container: string;
      readonly prefix: string;
      readonly endpoint: string;
    }
  | {
      readonly kind: 'gcs';
      readonly bucket: string;
      readonly prefix: string;
      readonly endpoint: string | undefined;
    };

const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  'file:': [],
  's3:': ['region', 'endpoint'],
  'azblob:': ['endpoint'],
  'gs:': ['endpoint'],
};
const NAME = /^[a-z0-9][a-z0-9.-]{1,62}$/;
const PREFIX = /^([A-Za-z0-9][A-Za-z0-9._-]*\/)*$/;

const FORMS =
  'file:///directory, s3://bucket/prefix, azblob://account/container/prefix or gs://bucket/prefix';

/** Reads STORE_URL. A text is the reason why it is none. */
export function readStoreUrl(text: string): StorePlace | string {
  const url = URL.parse(text);
  const known = url === null ? undefined : PARAMETERS[url.protocol];
  if (url === null || known === undefined) return FORMS;
  const strange = [...url.searchParams.keys()].some((key) => !known.includes(key));
  if (strange || url.hash !== '') {
    return `${url.protocol} takes ${known.join(' and ') || 'no parameters'}, nothing else`;
  }
  if (url.username !== '' || url.password !== '') return 'credentials go into STORE_KEY';
  return url.protocol === 'file:' ? fileOf(url) : objectStoreOf(url);
}

function fileOf(url: URL): StorePlace | string {
  const directory = decodeURIComponent(url.pathname);
  if (url.host !== '' || directory === '/') return 'file:/// and an absolute directory';
  return { kind: 'file', directory };
}

function objectStoreOf(url: URL): StorePlace | string {
  const steps = url.pathname.split('/').filter(Boolean);
  const container = url.protocol === 'azblob:' ? (steps.shift() ?? '') : undefined;
  const prefix = steps.map((step) => `${step}/`).join('');
  const endpoint = url.searchParams.get('endpoint')?.replace(/\/+$/, '');
  if (![url.host, container].every((name) => name === undefined || NAME.test(name))) return FORMS;
  if (!PREFIX.test(prefix)) return 'a prefix has letters, digits, dots, hyphens and slashes';
  if (endpoint !== undefined && !/^https?:\/\/[^?#@\s]+$/.test(endpoint)) {
    return 'endpoint is http(s)://host:port without credentials';
  }
  if (container !== undefined) return azureOf({ account: url.host, container, prefix }, endpoint);
  const bucket = { bucket: url.host, prefix, endpoint };
  if (url.protocol === 'gs:') return { kind: 'gcs', ...bucket };
  return { kind: 's3', ...bucket, region: url.searchParams.get('region') ?? undefined };
}

function azureOf(
  of: { readonly account: string; readonly container: string; readonly prefix: string },
  endpoint = `https://${of.account}.blob.core.windows.net`,
): StorePlace {
  return { kind: 'azure-blob', ...of, endpoint };
}
