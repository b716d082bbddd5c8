// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { natsFiles } from '@impound/runtime/nats-config.ts';
import { remoteUrl } from '../access.ts';
import { openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { busFindings, configFinding } from '../doctor/bus.ts';
import { certificateFindings } from '../doctor/certificates.ts';
import { clusterFindings } from '../doctor/clusters.ts';
import { lookAtDatabase } from '../doctor/database.ts';
import { databaseFindings } from '../doctor/database-findings.ts';
import { directoryFinding, secretFindings } from '../doctor/files.ts';
import { checkOf, examine, type Finding, type Verdict } from '../doctor/finding.ts';
import {
  deployedInstallation,
  type Installation,
  localInstallation,
} from '../doctor/installation.ts';
import { integrationFindings } from '../doctor/integrations.ts';
import { outsideFindings } from '../doctor/outside.ts';
import { relayFinding } from '../doctor/relay.ts';
import { signerFinding } from '../doctor/signers.ts';
import { storeFindings } from '../doctor/store.ts';
import { nodeFinding } from '../doctor/versions.ts';
import { EXIT, Exit } from '../exit-code.ts';
import type { Printer } from '../printer.ts';

/** Says what is wrong with an installation, each time with what to do. Changes nothing. */
export async function doctor(here: Here, signal: AbortSignal): Promise<number> {
  const { args, printer } = here;
  if (args.positionals.length > 0) throw new Exit(EXIT.usage, 'doctor takes no argument');
  if (remoteUrl(here) !== undefined) {
    throw new Exit(EXIT.usage, 'doctor looks at --data DIR, or at what --env FILE describes');
  }
  const files = args.list('env');
  const installation =
    files.length > 0
      ? await deployedInstallation(files, here.environment)
      : await localInstallation(here);
  printer.line(`looking at ${installation.name}`);
  const findings = await findingsOf(installation, signal);
  signal.throwIfAborted();
  for (const one of findings) tell(one, printer);
  return sumUp(findings, printer);
}

type Look = (installation: Installation, signal: AbortSignal) => Promise<readonly Finding[]>;

async function findingsOf(
  installation: Installation,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const looks: readonly Look[] = [
    files,
    certificates,
    busConfig,
    integrations,
    store,
    backends,
    gateway,
    clusters,
  ];
  const found = await Promise.all(looks.map((look) => look(installation, signal)));
  return [nodeFinding(process.versions.node), ...found.flat()];
}

async function files({ directory, secretFiles }: Installation): Promise<readonly Finding[]> {
  const secrets = await secretFindings(secretFiles);
  if (directory === undefined) return secrets;
  const next = 'name it with --data, or start impound up first';
  const own = await examine('data-directory', next, async () => [
    await directoryFinding(directory),
  ]);
  return [...own, ...secrets];
}

async function certificates({ certificates }: Installation): Promise<readonly Finding[]> {
  return await certificateFindings(certificates);
}

async function busConfig({ busConfig: folder }: Installation): Promise<readonly Finding[]> {
  if (folder === undefined) return [];
  const made = new Map([...natsFiles()].filter(([name]) => name === 'permissions.conf'));
  const next = 'run doctor as an account that may read the configuration of nats-server';
  return await examine('nats-permissions', next, async () => {
    const texts = [...made.keys()].map(async (name) => {
      return [name, await readFile(join(folder, name), 'utf8')] as const;
    });
    return [configFinding(new Map(await Promise.all(texts)), made)];
  });
}

async function integrations({ integrations: file }: Installation): Promise<readonly Finding[]> {
  return file === undefined ? [] : await integrationFindings(file);
}

async function store({ store }: Installation): Promise<readonly Finding[]> {
  if (store === undefined) return [unnamed('store-retention', 'STORE_URL')];
  const next = 'run doctor where the uploader runs, as its account';
  return await examine('store', next, () => storeFindings(store));
}

/** Bus and database, and how far the one follows the other. */
async function backends(it: Installation, signal: AbortSignal): Promise<readonly Finding[]> {
  const [bus, database] = await Promise.allSettled([lookAtBus(it, signal), look(it)]);
  const findings: Finding[] = [];
  if (bus.status === 'rejected') findings.push(away('bus', 'nats-server', bus.reason));
  else if (bus.value === undefined) findings.push(unnamed('bus', 'NATS_URL'));
  else findings.push(...busFindings(bus.value, isPrivate(it, it.bus?.url)));
  if (database.status === 'rejected') findings.push(away('postgres', 'Postgres', database.reason));
  else if (database.value === undefined) findings.push(unnamed('postgres', 'DATABASE_URL'));
  else findings.push(...databaseFindings(database.value, isPrivate(it, it.database?.reveal())));
  const shown = database.status === 'fulfilled' ? database.value?.shown : undefined;
  findings.push(...outsideFindings(it.outside, shown), signerFinding(it.signers));
  if (bus.status === 'fulfilled' && database.status === 'fulfilled') {
    findings.push(...relayFinding(bus.value, database.value));
  }
  return findings;
}

async function look({ database }: Installation) {
  return database === undefined ? undefined : await lookAtDatabase(database);
}

const AGAIN_MS = 1_000;

/** A service between two pulls has none open for a moment: who seems deaf is looked at twice. */
async function lookAtBus({ bus }: Installation, signal: AbortSignal) {
  if (bus === undefined) return undefined;
  const runtime = await import('@impound/runtime/bus-look.ts');
  const facts = await runtime.lookAtBus(bus, signal);
  const deaf =
    'consumers' in facts.stream && facts.stream.consumers.some(({ waiting }) => waiting === 0);
  if (!deaf) return facts;
  await delay(AGAIN_MS, undefined, { signal });
  return await runtime.lookAtBus(bus, signal);
}

function isPrivate({ privateNetwork }: Installation, url: string | undefined): boolean {
  const host = URL.parse(url ?? '')?.hostname ?? '';
  return privateNetwork || /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(host);
}

async function gateway(
  { gateway }: Installation,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (gateway === undefined) return [unnamed('gateway', 'GATEWAY_URL and GATEWAY_TOKEN_FILE')];
  const check = checkOf('gateway');
  const late = AbortSignal.timeout(GATEWAY_MS_MAX);
  try {
    const limit = AbortSignal.any([signal, late]);
    await openClient(gateway, limit).get('/v1/acquisitions?limit=1');
    return [check.ok(`${gateway.url} answers, and reaches the ledger`)];
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    const because = late.aborted ? `no answer in ${GATEWAY_MS_MAX / 1_000} s` : message;
    const next = message.startsWith('401')
      ? 'give doctor the token of an integration that counts: GATEWAY_TOKEN_FILE'
      : 'look whether gateway, ledger and bus run, and at their logs';
    return [check.sick(`the gateway does not serve: ${because}`, next)];
  }
}

const GATEWAY_MS_MAX = 10_000;

async function clusters(it: Installation, signal: AbortSignal): Promise<readonly Finding[]> {
  if (it.clusters.length === 0) return [unnamed('clusters', 'CLUSTERS_FILE')];
  const found = it.clusters.map((list) => clusterFindings(list, signal));
  return (await Promise.all(found)).flat();
}

function away(name: string, program: string, error: unknown): Finding {
  const said = error instanceof Error ? error.message : String(error);
  // The driver of Postgres says so, and of nothing it has.
  const because = said.includes('CONNECT_TIMEOUT') ? 'no answer in time' : said;
  const next = /password|authori[sz]ation|authentication failed/i.test(because)
    ? `give doctor what ${program} knows: after a rotation migrate or init, then a reload, tells it`
    : `start ${program}, or put right how it is reached`;
  return checkOf(name).sick(`it cannot be looked at: ${because}`, next);
}

function unnamed(name: string, key: string): Finding {
  const next = `start impound up first, or name it to doctor: ${key} in a file for --env`;
  return checkOf(name).unknown('it was not looked at: nobody says where it is', next);
}

const MARKS: Readonly<Record<Verdict, string>> = {
  ok: 'ok      ',
  advice: 'advice  ',
  sick: 'SICK    ',
  unknown: 'unknown ',
};

function tell(finding: Finding, printer: Printer): void {
  const { check, verdict, what, next } = finding;
  printer.value('finding', finding);
  printer.line(`${MARKS[verdict]} ${check.padEnd(20)} ${what}`);
  if (next !== undefined) printer.line(`${' '.repeat(30)}what to do: ${next}`);
}

function sumUp(findings: readonly Finding[], printer: Printer): number {
  const count = (verdict: Verdict) => findings.filter((one) => one.verdict === verdict).length;
  const counts = {
    ok: count('ok'),
    advice: count('advice'),
    sick: count('sick'),
    unknown: count('unknown'),
  };
  const { sick, unknown, advice } = counts;
  const exitCode = exitOf(sick, unknown);
  printer.value('result', { ...counts, exitCode });
  printer.line(`${sick} sick, ${unknown} not looked at, ${advice} to think of, ${counts.ok} well`);
  return exitCode;
}

function exitOf(sick: number, unknown: number): number {
  if (sick > 0) return EXIT.findings;
  return unknown > 0 ? EXIT.unreachable : EXIT.ok;
}
