// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { platformFile } from '../access.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { clusterEntryOf, nameCluster, startHere } from './reach.ts';

/** Runs the whole platform in this process until it is interrupted, which is its good end. */
export async function up(here: Here, signal: AbortSignal): Promise<number> {
  const { printer, args } = here;
  const port = portOf(args.text('port'));
  const entry = await clusterEntryOf(here);
  const cluster = entry === undefined ? '' : args.needed('cluster');
  if (entry === undefined && args.text('cluster') !== undefined) {
    throw new Exit(EXIT.usage, '--cluster names what --kubeconfig leads to: give both');
  }
  await using platform = await startHere(here, { role: 'up', port }, signal);
  await nameCluster(here, cluster, entry);
  const { url, dataDir, versions } = platform;
  printer.value('platform', { url, dataDir, versions });
  printer.line(`impound is up at ${url}`);
  printer.line(`  data       ${dataDir}`);
  printer.line(`  token      in ${platformFile(dataDir)}, which only you can read`);
  printer.line(`  PostgreSQL ${versions.postgres}, nats-server ${versions.nats}`);
  printer.line('  next       impound targets, then impound acquire TARGET --case C --reason R');
  if (!signal.aborted) await once(signal, 'abort');
  printer.line('stopping');
  return EXIT.ok;
}

const PORT_MAX = 65_535;

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= PORT_MAX) return Number(text);
  throw new Exit(EXIT.usage, `--port ${text}: 0 to ${PORT_MAX}, 0 for a free one`);
}
