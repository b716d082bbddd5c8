// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { Agent, OutgoingHttpHeaders } from 'node:http';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { abortedFault, KubernetesFault, quote } from './fault.ts';
import type { Profile, ProfileCluster, ProfileUser } from './kubeconfig.ts';

/** What one connection needs: goes into `https.request` and into `new WebSocket` as it is. */
export interface RequestOptions {
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly rejectUnauthorized: boolean;
  readonly ca?: Buffer;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
  readonly servername?: string;
  readonly auth?: string;
}

/** Turns a profile into the options of one connection, with fresh credentials. */
export type CredentialResolver = (signal: AbortSignal) => Promise<RequestOptions>;

/** The part of client-node's KubeConfig that knows credential plugins and proxies. */
export interface CredentialSource {
  loadFromOptions(options: unknown): void;
  applyToHTTPSOptions(options: object): Promise<void>;
}

/** Longest wait for a token or a credential plugin. */
export const CREDENTIALS_MS_MAX = 30_000;

interface Resolved {
  agent?: Agent;
  headers?: OutgoingHttpHeaders;
  rejectUnauthorized: boolean;
  ca?: Buffer;
  cert?: Buffer | string;
  key?: Buffer | string;
  servername?: string;
  auth?: string;
  timeout?: number;
}

/**
 * Credentials come from one long-lived source, because plugins cache their tokens there; the agent
 * from a new one where they have changed, because it would keep a client certificate that was
 * renewed. For what has not changed, to check it and to make an agent cost as much as a question.
 */
export function credentialResolver(
  profile: Profile,
  source: () => CredentialSource,
  token?: (signal: AbortSignal) => Promise<string>,
): CredentialResolver {
  const { cluster, user } = profile;
  const plugins = load(source(), cluster, user);
  let before: { readonly tls: SecureContextOptions; readonly agent: Agent } | undefined;
  return async (signal) => {
    const resolved: Resolved = { rejectUnauthorized: !cluster.skipTLSVerify };
    await withDeadline(apply(plugins, resolved), signal);
    const made = token
      ? await withDeadline(callToken(token, signal), signal)
      : await tokenFromFile(user);
    const headers = headersOf(resolved, made);
    const { ca, cert, key, servername, auth, rejectUnauthorized } = resolved;
    const tls = defined({ ca, cert, key, servername, auth });
    if (before === undefined || !isDeepStrictEqual(tls, before.tls)) {
      checkTls(tls);
      const bare = load(source(), cluster, { name: user.name });
      before = { tls, agent: await agentFor(bare, { ...tls, rejectUnauthorized }) };
    }
    return { agent: before.agent, headers, rejectUnauthorized, ...tls };
  };
}

function load(source: CredentialSource, cluster: ProfileCluster, user: ProfileUser) {
  source.loadFromOptions({
    clusters: [cluster],
    users: [user],
    contexts: [{ name: 'chosen', cluster: cluster.name, user: user.name }],
    currentContext: 'chosen',
  });
  return source;
}

async function apply(source: CredentialSource, resolved: Resolved): Promise<void> {
  try {
    await source.applyToHTTPSOptions(resolved);
  } catch (error) {
    throw credentialsFault(error);
  }
}

async function agentFor(source: CredentialSource, options: Resolved): Promise<Agent> {
  await apply(source, options);
  if (options.agent) return options.agent;
  throw new KubernetesFault('kubeconfig-invalid', 'the proxy or server address has no known form');
}

async function callToken(token: (signal: AbortSignal) => Promise<string>, signal: AbortSignal) {
  try {
    return await token(signal);
  } catch (error) {
    throw credentialsFault(error);
  }
}

async function tokenFromFile(user: ProfileUser): Promise<string | undefined> {
  if (user.tokenFile === undefined) return undefined;
  try {
    return (await readFile(user.tokenFile, 'utf8')).trim();
  } catch (error) {
    throw credentialsFault(error);
  }
}

function headersOf(resolved: Resolved, token: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { 'User-Agent': 'impound' };
  for (const [name, value] of Object.entries(resolved.headers ?? {})) {
    if (typeof value === 'string') headers[name] = value.trim();
  }
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  const bad = Object.values(headers).some((value) => !/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value));
  if (!bad) return headers;
  throw new KubernetesFault(
    'credentials-failed',
    'the token or user name holds characters that no HTTP header may hold; give a clean one',
  );
}

function checkTls(options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw new KubernetesFault(
      'kubeconfig-invalid',
      'the CA, client certificate or client key cannot be used; all must be PEM and fit together',
      { cause: error },
    );
  }
}

async function withDeadline<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: gaveUp, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortedFault(signal));
  const timer = setTimeout(() => reject(slowFault()), CREDENTIALS_MS_MAX);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, gaveUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function slowFault(): KubernetesFault {
  return new KubernetesFault(
    'credentials-failed',
    `no credentials within ${CREDENTIALS_MS_MAX} ms; run the credential plugin by hand`,
  );
}

function credentialsFault(error: unknown): KubernetesFault {
  if (error instanceof KubernetesFault) return error;
  return new KubernetesFault(
    'credentials-failed',
    `no credentials for the cluster: ${reasonOf(error)}; check the user or token it is given`,
  );
}

/** A SyntaxError quotes what a plugin printed, which may be the token: it is never repeated. */
function reasonOf(error: unknown): string {
  const speaks = error instanceof Error && !(error instanceof SyntaxError);
  return speaks && !(error instanceof TypeError) ? quote(error.message) : 'unreadable credentials';
}

function defined<T extends object>(values: T) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  ) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}
