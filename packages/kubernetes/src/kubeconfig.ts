// SPDX-License-Identifier: Apache-2.0
import { isAbsolute, join } from 'node:path';
import * as z from 'zod';
import { KubernetesFault, quote } from './fault.ts';

/** One cluster and one user of a kubeconfig, checked, with absolute paths. */
export interface Profile {
  readonly cluster: ProfileCluster;
  readonly user: ProfileUser;
  /** Things that weaken the connection and that the file itself asks for. */
  readonly warnings: readonly string[];
}

/** How the API server is reached and recognised. */
export interface ProfileCluster {
  readonly name: string;
  readonly server: string;
  readonly skipTLSVerify: boolean;
  readonly caData?: string;
  readonly caFile?: string;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
}

/** Who we are for that cluster. `exec` and `authProvider` run programs when they are used. */
export interface ProfileUser {
  readonly name: string;
  readonly certData?: string;
  readonly certFile?: string;
  readonly keyData?: string;
  readonly keyFile?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly impersonateUser?: string;
  readonly exec?: unknown;
  readonly authProvider?: unknown;
}

/** What the reader of a kubeconfig has to be told beside the file's content. */
export interface KubeconfigChoice {
  readonly context?: string | undefined;
  /** Folder that relative paths start from; without it the file may name no other file. */
  readonly directory?: string | undefined;
  readonly allowExecPlugins?: boolean | undefined;
}

/** Largest kubeconfig that is read, in bytes. */
export const KUBECONFIG_BYTES_MAX = 1_048_576;

const PROXY_PROTOCOLS = ['http:', 'https:', 'socks5:', 'socks5h:'];

const text = z.string().nullish();

const Cluster = z.object({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'tls-server-name': text,
  'proxy-url': text,
});

const User = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  'as-uid': z.unknown().optional(),
  'as-groups': z.unknown().optional(),
  'as-user-extra': z.unknown().optional(),
  exec: z.looseObject({ command: z.string(), apiVersion: text }).nullish(),
  'auth-provider': z.looseObject({ name: z.string() }).nullish(),
});

const Context = z.object({ cluster: z.string(), user: text });

const Entries = z.array(z.looseObject({ name: z.string() })).nullish();

const File = z.object({
  'current-context': text,
  clusters: Entries,
  users: Entries,
  contexts: Entries,
});

/** Reads the chosen context of a parsed kubeconfig; throws `kubeconfig-invalid` and why. */
export function readKubeconfig(document: unknown, choice: KubeconfigChoice): Profile {
  const file = check(File, document, 'the kubeconfig');
  const context = check(Context, contextEntry(file, choice.context), 'the context');
  const clusterEntry = entry(file.clusters, context.cluster, 'cluster');
  const raw = check(Cluster, clusterEntry['cluster'], `cluster ${quote(context.cluster)}`);
  const cluster = clusterOf(context.cluster, raw, choice);
  return {
    cluster,
    user: userOf(file.users, context.user ?? undefined, choice),
    warnings: warningsOf(cluster),
  };
}

function contextEntry(file: z.output<typeof File>, chosen: string | undefined): unknown {
  const name = chosen ?? file['current-context'] ?? '';
  if (name !== '') return entry(file.contexts, name, 'context')['context'];
  throw invalid(
    `no context is chosen and the file has no current-context; ${known(file.contexts)}`,
  );
}

type Entries = z.output<typeof Entries>;

function entry(entries: Entries, name: string, kind: string) {
  const found = entries?.find((one) => one.name === name);
  if (found) return found;
  throw invalid(`there is no ${kind} named ${JSON.stringify(quote(name))}; ${known(entries)}`);
}

function known(entries: Entries): string {
  const names = (entries ?? []).slice(0, 10).map((one) => quote(one.name));
  return names.length === 0 ? 'the file has none' : `it has: ${names.join(', ')}`;
}

function clusterOf(name: string, raw: z.output<typeof Cluster>, choice: KubeconfigChoice) {
  checkServer(raw.server);
  checkProxy(raw['proxy-url'] ?? undefined);
  const caFile = fileOf(raw['certificate-authority'], 'certificate-authority', choice);
  return {
    name,
    server: raw.server.replace(/\/+$/, ''),
    skipTLSVerify: raw['insecure-skip-tls-verify'] === true,
    ...given({
      caData: raw['certificate-authority-data'],
      caFile: raw['certificate-authority-data'] ? undefined : caFile,
      tlsServerName: raw['tls-server-name'],
      proxyUrl: raw['proxy-url'],
    }),
  };
}

/** Throws unless the text is an address that an API server can have. */
export function checkServer(server: string): void {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  const fits = url && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '';
  if (fits && url.username === '' && url.password === '' && url.search === '') return;
  throw invalid('server must be an https address without user, password or query');
}

function checkProxy(proxy: string | undefined): void {
  if (proxy === undefined || proxy === '') return;
  const protocol = URL.canParse(proxy) ? new URL(proxy).protocol : '';
  if (PROXY_PROTOCOLS.includes(protocol)) return;
  throw invalid(`proxy-url must begin with one of ${PROXY_PROTOCOLS.join(' ')}`);
}

function userOf(entries: Entries, name: string | undefined, choice: KubeconfigChoice) {
  if (name === undefined || name === '') return { name: 'anonymous' };
  const raw = check(User, entry(entries, name, 'user')['user'] ?? {}, `user ${quote(name)}`);
  refuseImpersonationBeyondUser(raw);
  refusePrograms(raw, choice);
  return {
    name,
    ...given({
      certData: raw['client-certificate-data'],
      certFile: fileOf(raw['client-certificate'], 'client-certificate', choice),
      keyData: raw['client-key-data'],
      keyFile: fileOf(raw['client-key'], 'client-key', choice),
      token: raw.token,
      tokenFile: fileOf(raw.tokenFile, 'tokenFile', choice),
      username: raw.username,
      password: raw.password,
      impersonateUser: raw.as,
    }),
    ...(raw.exec ? { exec: pluginOf(raw.exec, choice) } : {}),
    ...(raw['auth-provider'] ? { authProvider: raw['auth-provider'] } : {}),
  };
}

function refuseImpersonationBeyondUser(raw: z.output<typeof User>): void {
  for (const key of ['as-uid', 'as-groups', 'as-user-extra'] as const) {
    if (raw[key] === undefined || raw[key] === null) continue;
    throw invalid(`${key} is not supported; use a user of its own instead`);
  }
}

function refusePrograms(raw: z.output<typeof User>, choice: KubeconfigChoice): void {
  if (choice.allowExecPlugins === true || (!raw.exec && !raw['auth-provider'])) return;
  const what = raw.exec ? `runs ${JSON.stringify(quote(raw.exec.command))}` : 'names auth-provider';
  throw new KubernetesFault(
    'exec-plugin-refused',
    `this kubeconfig ${what} to get credentials; allow credential plugins explicitly ` +
      'or give a kubeconfig with a token or a client certificate',
  );
}

function pluginOf(exec: z.output<typeof User.shape.exec> & object, choice: KubeconfigChoice) {
  const relative = exec.command.includes('/') && !isAbsolute(exec.command);
  const command = relative ? fileOf(exec.command, 'exec.command', choice) : exec.command;
  const info = JSON.stringify({
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false },
  });
  const env = Array.isArray(exec['env']) ? exec['env'] : [];
  return { ...exec, command, env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: info }] };
}

function fileOf(path: string | null | undefined, key: string, choice: KubeconfigChoice) {
  if (path === undefined || path === null || path === '') return undefined;
  if (choice.directory !== undefined) return isAbsolute(path) ? path : join(choice.directory, path);
  throw invalid(`${key} names a file, but only the text was given; embed it as ${key}-data`);
}

function warningsOf(cluster: ProfileCluster): readonly string[] {
  const plain = cluster.server.startsWith('http:');
  if (plain && !cluster.skipTLSVerify) {
    throw invalid('server is plain http; use https, or insecure-skip-tls-verify if it is a test');
  }
  if (plain) return ['the kubeconfig asks for plain http: anybody on the way reads the token'];
  if (!cluster.skipTLSVerify) return [];
  return ['the kubeconfig asks for insecure-skip-tls-verify: the API server is not verified'];
}

function given<T extends Record<string, string | null | undefined>>(values: T) {
  const kept = Object.entries(values).filter(([, value]) => typeof value === 'string' && value);
  return Object.fromEntries(kept) as { [Key in keyof T]?: string };
}

function check<Shape extends z.ZodType>(shape: Shape, value: unknown, where: string) {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw invalid(`${where} is not as a kubeconfig should be${path && ` at ${quote(path)}`}`);
}

function invalid(why: string): KubernetesFault {
  return new KubernetesFault('kubeconfig-invalid', `kubeconfig: ${why}`);
}
