// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type CredentialResolver, credentialResolver, type RequestOptions } from './credentials.ts';
import { abortedFault, KubernetesFault, quote } from './fault.ts';
import { checkServer, KUBECONFIG_BYTES_MAX, type Profile, readKubeconfig } from './kubeconfig.ts';
import { whileUnchanged } from './same-file.ts';

/** The way to one cluster as one user. It holds no socket; every request opens its own. */
export interface ClusterConnection {
  /** The cluster's name, as the kubeconfig or the caller calls it. */
  readonly cluster: string;
  readonly server: URL;
  /** What weakens this connection because the kubeconfig asks for it; empty is good. */
  readonly warnings: readonly string[];
  /** Resolves the credentials anew. Throws `credentials-failed` or `kubeconfig-invalid`. */
  requestOptions(signal: AbortSignal): Promise<RequestOptions>;
}

/** Where a kubeconfig is. Text may name no other files: it came from somewhere else. */
export type KubeconfigSource = { readonly text: string } | { readonly path: string };

/** Choices for `connectionFromKubeconfig`. */
export interface KubeconfigOptions {
  readonly context?: string | undefined;
  /** A credential plugin is a program that the kubeconfig names; it runs only if this is true. */
  readonly allowExecPlugins?: boolean | undefined;
}

/**
 * Opens the way that a kubeconfig describes; throws `kubeconfig-invalid`, `exec-plugin-refused`.
 */
export async function connectionFromKubeconfig(
  source: KubeconfigSource,
  options: KubeconfigOptions = {},
): Promise<ClusterConnection> {
  const text = 'text' in source ? source.text : await readBounded(source.path);
  const directory = 'path' in source ? dirname(resolve(source.path)) : undefined;
  const document = await parseYaml(text);
  return connectionOf(readKubeconfig(document, { ...options, directory }));
}

/**
 * Opens ways as `connectionFromKubeconfig` does. A file that has not changed gives the way it gave
 * before: reading it costs more than a question to the cluster, and a plugin that has made a token
 * is not run again before that has expired. Files that it names are read for each request.
 */
export function lastingConnections(
  options: KubeconfigOptions,
): (path: string) => Promise<ClusterConnection> {
  return whileUnchanged((path) => connectionFromKubeconfig({ path }, options));
}

/** Loads what every connection needs: that takes a third of a second of a processor. */
export async function loadClient(): Promise<void> {
  await import('@kubernetes/client-node');
}

/** Opens the way from inside a pod, by the mounted service account; throws `not-in-cluster`. */
export async function connectionInCluster(root = ''): Promise<ClusterConnection> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const found = new KubeConfig();
  found.loadFromCluster(root);
  const { server = '', caFile = '' } = found.getCurrentCluster() ?? {};
  const tokenFile: unknown = found.getCurrentUser()?.authProvider?.config?.tokenFile;
  const here = URL.canParse(server) && (await exists(caFile)) && typeof tokenFile === 'string';
  if (!here || !server.startsWith('https:')) {
    throw new KubernetesFault(
      'not-in-cluster',
      'this does not run in a pod with a service account (no KUBERNETES_SERVICE_HOST or no ' +
        'mounted CA); give a kubeconfig instead',
    );
  }
  const cluster = { name: 'in-cluster', server, caFile, skipTLSVerify: false };
  return connectionOf({ cluster, user: { name: 'service-account', tokenFile }, warnings: [] });
}

/** A cluster that a cloud's own API described: address, CA and a token that is made on demand. */
export interface Endpoint {
  readonly cluster: string;
  /** `https://…`, as the cloud gives it. */
  readonly server: string;
  /** PEM; without it the system's roots are used (GKE's DNS endpoint). */
  readonly ca?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly proxyUrl?: string | undefined;
  /** Called for every connection; it may cache as long as the token lives. */
  token(signal: AbortSignal): Promise<string>;
}

/** Opens the way to a managed cluster without any kubeconfig. */
export function connectionFromEndpoint(endpoint: Endpoint): ClusterConnection {
  checkServer(endpoint.server);
  if (!endpoint.server.startsWith('https:')) {
    throw new KubernetesFault('kubeconfig-invalid', 'the endpoint of a cluster must be https');
  }
  const { cluster: name, ca, tlsServerName, proxyUrl } = endpoint;
  const cluster = {
    name,
    server: endpoint.server.replace(/\/+$/, ''),
    skipTLSVerify: false,
    ...(ca === undefined ? {} : { caData: Buffer.from(ca).toString('base64') }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
  };
  const token = (signal: AbortSignal) => endpoint.token(signal);
  return connectionOf({ cluster, user: { name: 'token' }, warnings: [] }, token);
}

function connectionOf(
  profile: Profile,
  token?: (signal: AbortSignal) => Promise<string>,
): ClusterConnection {
  let resolver: Promise<CredentialResolver> | undefined;
  return {
    cluster: profile.cluster.name,
    server: new URL(profile.cluster.server),
    warnings: profile.warnings,
    async requestOptions(signal) {
      if (signal.aborted) throw abortedFault(signal);
      resolver ??= import('@kubernetes/client-node').then(({ KubeConfig }) =>
        credentialResolver(profile, () => new KubeConfig(), token),
      );
      const resolveCredentials = await resolver;
      return resolveCredentials(signal);
    },
  };
}

async function readBounded(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= KUBECONFIG_BYTES_MAX) return await readFile(path, 'utf8');
  } catch (error) {
    throw new KubernetesFault(
      'kubeconfig-invalid',
      `the kubeconfig ${quote(path)} cannot be read; check the path and its permissions`,
      { cause: error },
    );
  }
  throw tooLarge();
}

async function parseYaml(text: string): Promise<unknown> {
  if (Buffer.byteLength(text) > KUBECONFIG_BYTES_MAX) throw tooLarge();
  const { loadYaml } = await import('@kubernetes/client-node');
  try {
    return loadYaml(text);
  } catch {
    // The parser's error quotes the lines around the fault, and those may hold a token.
    throw new KubernetesFault('kubeconfig-invalid', 'the kubeconfig is not valid YAML');
  }
}

function tooLarge(): KubernetesFault {
  return new KubernetesFault(
    'kubeconfig-invalid',
    `the kubeconfig is larger than ${KUBECONFIG_BYTES_MAX} bytes; give one for this cluster only`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
