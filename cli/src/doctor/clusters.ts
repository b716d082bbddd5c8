// SPDX-License-Identifier: Apache-2.0
import { type Clusters, clustersFrom } from '@impound/kubernetes/clusters.ts';
import type { ClusterConnection } from '@impound/kubernetes/connection.ts';
import { greetCluster, type Held, heldRules } from '@impound/kubernetes/held.ts';
import { listNamespaces } from '@impound/kubernetes/node.ts';
import { clockBetween } from '@impound/runtime/bus-look.ts';
import { certificateFinding } from './certificates.ts';
import { clockFinding, type Offset } from './clock.ts';
import { type Check, checkOf, examine, type Finding } from './finding.ts';
import { excessOf, type Purpose } from './rights.ts';

/** A list of clusters, and for whose account the kubeconfigs in it are. */
export interface ClusterList {
  readonly path: string;
  readonly purpose: Purpose;
}

/** Where rights are looked at: the tempting one, the usual one, and some of the cluster's own. */
const ALWAYS = ['default', 'kube-system'];
const NAMESPACES_MAX = 20;
const CLUSTERS_MAX = 100;

/** Reaches every cluster of a list as the services do, and looks at what the account may do. */
export async function clusterFindings(
  { path, purpose }: ClusterList,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const clusters = clustersFrom(path);
  const next = `put ${path} right: a JSON object of names, each with its kubeconfig`;
  return await examine('clusters', next, async () => {
    const names = await clusters.names();
    if (names.length === 0) {
      return [checkOf('clusters').advice(`${path} names no cluster`, 'name one there')];
    }
    const found: Finding[] = [];
    for (const name of names.slice(0, CLUSTERS_MAX)) {
      found.push(...(await oneCluster(clusters, { name, purpose }, signal)));
    }
    return found;
  });
}

interface Account {
  readonly name: string;
  readonly purpose: Purpose;
}

async function oneCluster(
  clusters: Clusters,
  account: Account,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const check = checkOf('clusters');
  try {
    const connection = await clusters.connection(account.name);
    const { version, offset } = await greeted(connection, signal);
    const held = await rightsOf(connection, signal);
    return [
      check.ok(`${account.name} answers (${version}) to the ${account.purpose}`),
      ...connection.warnings.map((warning) =>
        check.sick(
          `${account.name}: ${warning}`,
          'put the certificate authority into the kubeconfig',
        ),
      ),
      ...(await shown(connection, account, signal)),
      clockFinding(`the cluster ${account.name}`, offset),
      ...rightFindings(account, held),
    ];
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    const next = 'mend the kubeconfig or the way there; until then nothing is acquired from it';
    return [
      check.sick(`${account.name} cannot be used by the ${account.purpose}: ${because}`, next),
    ];
  }
}

/** The certificate by which the account is known, if that is how it is. */
async function shown(
  connection: ClusterConnection,
  { name, purpose }: Account,
  signal: AbortSignal,
) {
  const { cert } = await connection.requestOptions(signal);
  const whose = `the ${purpose}'s certificate for ${name}`;
  return cert === undefined ? [] : [certificateFinding(whose, String(cert), Date.now())];
}

const DATE_RESOLUTION_MS = 1_000;

async function greeted(connection: ClusterConnection, signal: AbortSignal) {
  const askedAt = Date.now();
  const { version, now } = await greetCluster(connection, signal);
  if (now === undefined) return { version, offset: undefined };
  const { offsetMs, withinMs } = clockBetween({ askedAt, answeredAt: Date.now(), theirs: now });
  const offset: Offset = { offsetMs, withinMs: withinMs + DATE_RESOLUTION_MS };
  return { version, offset };
}

async function rightsOf(
  connection: ClusterConnection,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Held>> {
  const seen = await listNamespaces(connection, { itemsMax: NAMESPACES_MAX }, signal).catch(() => ({
    namespaces: [],
  }));
  const known = seen.namespaces.map(({ metadata }) => metadata.name);
  const namespaces = [...new Set([...ALWAYS, ...known])].slice(0, NAMESPACES_MAX);
  const held = new Map<string, Held>();
  for (const one of namespaces) held.set(one, await heldRules(connection, one, signal));
  return held;
}

/** Rights in some namespaces, judged; the same excess in several is one finding. */
export function rightFindings(
  { name, purpose }: Account,
  held: ReadonlyMap<string, Held>,
): readonly Finding[] {
  const check = checkOf('cluster-rights');
  const whose = `the ${purpose}'s account in ${name}`;
  const partial = [...held.values()].find(({ incomplete }) => incomplete !== undefined);
  const excess = new Map([...held].map(([at, { rules }]) => [at, excessOf(rules, purpose)]));
  const findings = [
    ...told(excess, 'dangerous', (rights, where) =>
      check.sick(`${whose} may ${rights} in ${where}`, 'take it away: nothing here needs it'),
    ),
    ...told(excess, 'curious', (rights, where) =>
      check.advice(`${whose} may ${rights} in ${where}`, 'take it away: nothing here needs it'),
    ),
    ...told(excess, 'digests', (rights, where) =>
      check.advice(
        `${whose} may ${rights} in ${where}: it could read what it only hashes`,
        'keep it only where the context has to tell whether a Secret was changed',
      ),
    ),
    ...kubeSystem(check, { name, purpose }, held),
  ];
  if (partial !== undefined) {
    findings.push(
      check.unknown(
        `${name} does not list all rights: ${partial.incomplete}`,
        `look by hand what ${whose} may do by other authorizers than RBAC`,
      ),
    );
  }
  if (findings.length > 0) return findings;
  return [check.ok(`${whose} may do what it needs, and no more`)];
}

const RIGHTS_SHOWN_MAX = 8;

function told<Kind extends 'dangerous' | 'curious' | 'digests'>(
  excess: ReadonlyMap<string, Readonly<Record<Kind, readonly string[]>>>,
  kind: Kind,
  say: (rights: string, where: string) => Finding,
): Finding[] {
  const places = new Map<string, string[]>();
  for (const [namespace, { [kind]: rights }] of excess) {
    if (rights.length === 0) continue;
    const more =
      rights.length > RIGHTS_SHOWN_MAX ? ` and ${rights.length - RIGHTS_SHOWN_MAX} more` : '';
    const text = rights.slice(0, RIGHTS_SHOWN_MAX).join(', ') + more;
    places.set(text, [...(places.get(text) ?? []), namespace]);
  }
  return [...places].map(([rights, where]) => say(rights, where.join(', ')));
}

/** Who may exec there may become everything. */
function kubeSystem(check: Check, account: Account, held: ReadonlyMap<string, Held>): Finding[] {
  const rules = held.get('kube-system')?.rules ?? [];
  const execs = rules.some(
    ({ verbs, resources }) => verbs.includes('create') && resources.includes('pods/exec'),
  );
  if (account.purpose !== 'executor' || !execs) return [];
  return [
    check.advice(
      `the executor's account in ${account.name} may exec in kube-system: so it can reach more`,
      'bind its role in the namespaces that are to be acquired from, not in the whole cluster',
    ),
  ];
}
