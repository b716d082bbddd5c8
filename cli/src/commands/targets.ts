// SPDX-License-Identifier: Apache-2.0
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import type { ReplyOf } from '@impound/contracts/question.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { clusterEntryOf, nameCluster, reach } from './reach.ts';

type Found = ReplyOf<typeof DiscoveryListV1>;
type Item = Found['items'][number];

/** As many as the gateway gives at once. */
const LIMIT = '500';

/** What it takes to ask API servers; no service that acts runs with it. */
const SEEING = ['ledger', 'uploader', 'gateway', 'discovery'];

/** Lists clusters, the namespaces of one, or the containers of one namespace with their URIs. */
export async function targets(here: Here, signal: AbortSignal): Promise<number> {
  const { args, printer } = here;
  const [cluster, namespace, ...more] = args.positionals;
  const selector = args.text('selector');
  if (more.length > 0 || (selector !== undefined && namespace === undefined)) {
    const form = 'targets [CLUSTER [NAMESPACE [--selector S]]]';
    throw new Exit(EXIT.usage, `impound ${form} lists what can be acquired`);
  }
  const entry = await clusterEntryOf(here);
  if (entry !== undefined && cluster === undefined) {
    throw new Exit(
      EXIT.usage,
      '--kubeconfig needs the name that its cluster gets: targets CLUSTER',
    );
  }
  await using platform = await reach(here, { role: 'look', only: SEEING }, signal);
  if (cluster !== undefined) await nameCluster(here, cluster, entry);
  const client = openClient(platform.access, signal);
  const { items, gaps } = await lookAt(client, { cluster, namespace, selector });
  for (const item of items) {
    printer.value(item.kind, item);
    printer.line(lineOf(item));
  }
  if (items.length === 0) printer.line('nothing here');
  for (const gap of gaps) printer.doing(gap);
  return EXIT.ok;
}

function lineOf({ name, target, state, image, marks }: Item): string {
  if (target === undefined) return name;
  const odd = marks.length === 0 ? '' : `  (${marks.join('; ')})`;
  return `${target}  ${state ?? ''}  ${image ?? ''}${odd}`;
}

interface Look {
  readonly cluster?: string | undefined;
  readonly namespace?: string | undefined;
  readonly selector?: string | undefined;
}

/** One level deeper with each name given. */
export async function lookAt(
  client: Client,
  { cluster, namespace, selector }: Look,
): Promise<Found> {
  const query = new URLSearchParams({
    limit: LIMIT,
    ...(selector === undefined ? {} : { selector }),
  });
  const path = [
    '/v1/clusters',
    ...(cluster === undefined ? [] : [encodeURIComponent(cluster), 'namespaces']),
    ...(namespace === undefined ? [] : [encodeURIComponent(namespace), 'containers']),
  ].join('/');
  return DiscoveryListV1.reply.parse(await client.get(`${path}?${query}`));
}
