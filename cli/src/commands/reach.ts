// SPDX-License-Identifier: Apache-2.0
import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OPERATOR } from '@impound/contracts/bus-rights.ts';
import {
  dataDirOf,
  findAccess,
  noPlatform,
  platformFile,
  type Role,
  remoteUrl,
  type Surroundings,
} from '../access.ts';
import type { Access } from '../client.ts';
import type { Here } from '../command.ts';
import { DataDirInUse } from '../data-dir.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { writeSecret } from '../keys.ts';
import type { ClusterEntry, Platform } from '../platform.ts';

/** A platform to speak to, for as long as it is held. */
export interface Reached extends AsyncDisposable {
  readonly access: Access;
  /** True where it ends with this command. */
  readonly ours: boolean;
}

const WAIT_MS = 250;

/**
 * The platform that runs, else one that lives as long as this command: whole for `acquire`; for
 * looking only the services named, so that nothing open goes on and no target is touched. Where
 * another command has the directory for as long as itself, its end is waited for.
 */
export async function reach(here: Here, terms: Terms, signal: AbortSignal): Promise<Reached> {
  for (;;) {
    const access = await findAccess(here);
    if (access !== undefined && serves(access.role, terms.role)) {
      refuseImage(here);
      return { access, ours: false, [Symbol.asyncDispose]: async () => undefined };
    }
    try {
      const platform = await startHere(here, terms, signal);
      const end = () => platform[Symbol.asyncDispose]();
      return { access: platform, ours: true, [Symbol.asyncDispose]: end };
    } catch (error) {
      if (!(error instanceof DataDirInUse)) throw error;
      here.printer.doing(`process ${error.pid} works in ${dataDirOf(here)}: waiting for it`);
      await delay(WAIT_MS, undefined, { signal });
    }
  }
}

function refuseImage({ args }: Here): void {
  if (args.text('ephemeral-image') === undefined) return;
  const message = 'it is a setting of the platform that runs: give it to impound up instead';
  throw new Exit(EXIT.usage, `--ephemeral-image: ${message}`);
}

/** Another's acquire can be looked at while it lasts; nobody else can rely on it. */
function serves(running: Role, wanted: Role): boolean {
  return running === 'up' || (running === 'acquire' && wanted === 'look');
}

/** Reaches what reads and records, but does not act. Throws Exit where there is nothing to see. */
export async function reachRecords(here: Here, signal: AbortSignal): Promise<Reached> {
  if (remoteUrl(here) === undefined) {
    const database = join(dataDirOf(here), 'postgres');
    if ((await stat(database).catch(() => undefined)) === undefined) throw noPlatform(here);
  }
  return await reach(here, { role: 'look', only: ['ledger', 'uploader', 'gateway'] }, signal);
}

interface Terms {
  readonly role: Role;
  /** The services that are started; left out, all. */
  readonly only?: readonly string[];
  readonly port?: number | undefined;
}

/** Starts a platform in the data directory and tells other commands where it is. */
export async function startHere(here: Here, terms: Terms, signal: AbortSignal): Promise<Platform> {
  const dataDir = dataDirOf(here);
  const file = platformFile(dataDir);
  const { role, only, port } = terms;
  await using opening = new AsyncDisposableStack();
  // Imported where it is needed: who speaks to a platform that runs needs no driver of anything.
  const { startPlatform } = await import('../platform.ts');
  const natsBinary = here.environment['NATS_SERVER'];
  const progress = (phrase: string) => here.printer.doing(phrase);
  const environment = { EPHEMERAL_IMAGE: here.args.text('ephemeral-image') };
  const platform = opening.use(
    await startPlatform({ dataDir, port, only, natsBinary, progress, environment }, signal),
  );
  opening.defer(() => rm(file, { force: true }));
  const { url, token, natsUrl, databaseUrl } = platform;
  const nkeyFile = platform.nkeyFile(OPERATOR);
  const told = { url, token, pid: process.pid, role, natsUrl, nkeyFile, databaseUrl };
  await writeSecret(file, JSON.stringify(told));
  const scope = opening.move();
  return { ...platform, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}

/** The way to a cluster that the command line names, if it does. Throws Exit(usage). */
export async function clusterEntryOf(here: Surroundings): Promise<ClusterEntry | undefined> {
  const { args } = here;
  const given = args.text('kubeconfig');
  if (given === undefined) {
    if (args.text('context') === undefined && !args.flag('allow-exec-plugins')) return undefined;
    throw new Exit(EXIT.usage, '--context and --allow-exec-plugins go with --kubeconfig');
  }
  if (remoteUrl(here) !== undefined) {
    const message = 'the platform at a URL has clusters of its own; targets lists them';
    throw new Exit(EXIT.usage, `--kubeconfig is for a platform on this machine: ${message}`);
  }
  const kubeconfig = resolve(given);
  const found = await stat(kubeconfig).catch(() => undefined);
  if (found?.isFile() !== true) {
    const what = found === undefined ? 'there is no such file' : 'it is no file';
    throw new Exit(EXIT.usage, `--kubeconfig ${given}: ${what}`);
  }
  return {
    kubeconfig,
    context: args.text('context'),
    ...(args.flag('allow-exec-plugins') ? { allowExecPlugins: true } : {}),
  };
}

/** Makes a cluster known to the platform of the data directory. */
export async function nameCluster(
  here: Surroundings,
  cluster: string,
  entry: ClusterEntry | undefined,
): Promise<void> {
  if (entry === undefined) return;
  const { addCluster } = await import('../platform.ts');
  await addCluster(dataDirOf(here), cluster, entry);
}
