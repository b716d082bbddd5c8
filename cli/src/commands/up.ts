// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dataDirOf, findAccess, platformFile, type Surroundings } from '../access.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { addCluster, type Platform, startPlatform } from '../platform.ts';

/** Runs the whole platform in this process until it is interrupted. */
export async function up(here: Here, signal: AbortSignal): Promise<number> {
  const { printer, args } = here;
  await using platform = await startHere(here, signal);
  if (args.text('kubeconfig') !== undefined) {
    await addKubeconfig(here, args.needed('cluster'));
  }
  const { url, dataDir, versions } = platform;
  printer.value({ url, dataDir, versions });
  printer.line(`impound is up at ${url}`);
  printer.line(`  data       ${dataDir}`);
  printer.line(`  PostgreSQL ${versions.postgres}, nats-server ${versions.nats}`);
  printer.line(
    '  next       impound acquire kubernetes://CLUSTER/NAMESPACE/POD --case C --reason R',
  );
  if (!signal.aborted) await once(signal, 'abort');
  printer.line('stopping');
  return EXIT.ok;
}

/** Starts a platform in the data directory and tells other commands where it is. */
export async function startHere(here: Here, signal: AbortSignal): Promise<Platform> {
  const dataDir = dataDirOf(here);
  const running = await findAccess(here);
  if (running !== undefined) {
    throw new Exit(EXIT.failed, `a platform already runs for this: ${running.url}`);
  }
  const port = here.args.text('port');
  const platform = await startPlatform(
    {
      dataDir,
      port: port === undefined ? undefined : portOf(port),
      natsBinary: here.environment['NATS_SERVER'],
      progress: (phrase) => here.printer.doing(phrase),
    },
    signal,
  );
  const { url, token } = platform;
  const file = platformFile(dataDir);
  await writeFile(file, JSON.stringify({ url, token, pid: process.pid }), { mode: 0o600 });
  return {
    ...platform,
    [Symbol.asyncDispose]: async () => {
      await rm(file, { force: true });
      await platform[Symbol.asyncDispose]();
    },
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Exit(EXIT.usage, `--port ${text} is no port`);
}

/** Makes the kubeconfig of the command line known under a cluster's name. */
export async function addKubeconfig(here: Surroundings, cluster: string): Promise<void> {
  const { args } = here;
  const kubeconfig = args.text('kubeconfig');
  if (kubeconfig === undefined) return;
  await addCluster(dataDirOf(here), cluster, {
    kubeconfig: resolve(kubeconfig),
    context: args.text('context'),
    ...(args.flag('allow-exec-plugins') ? { allowExecPlugins: true } : {}),
  });
}
