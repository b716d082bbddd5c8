// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { read } from '../../tools/rooms.ts';
import { ROOT } from '../../tools/steps.ts';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16_777_216;

/** Runs a program to its end and gives what it said; throws with its words where it fails. */
export async function output(file: string, args: readonly string[]): Promise<string> {
  const options = { cwd: ROOT, maxBuffer: OUTPUT_BYTES_MAX };
  return (await run(file, [...args], options)).stdout.trim();
}

/** What a compose file says of a service. */
interface ServiceFile {
  readonly build?: unknown;
}

/** The services of a compose file that are built from this repository. */
export function builtServices(composeFile = 'docker-compose.yml'): string[] {
  const file: { services: Record<string, ServiceFile> } = parse(read(composeFile), {
    merge: true,
  });
  return Object.entries(file.services).flatMap(([name, { build }]) => (build ? [name] : []));
}

/** A deployment of a compose file under a name of its own. */
export interface Composed extends AsyncDisposable {
  /** Runs docker compose with these arguments; its words go to our standard error. */
  compose(...args: readonly string[]): Promise<void>;
  /** Runs docker compose with its output into a file, or its input from one. */
  pipe(args: readonly string[], file: Piped): Promise<void>;
  readonly project: string;
  /** Runs docker compose and gives what it printed. */
  ask(...args: readonly string[]): Promise<string>;
  /** The id of the container that runs a service. */
  container(service: string): Promise<string>;
  inspect(service: string, format: string): Promise<string>;
}

/** A file at one end of a program. */
export interface Piped {
  readonly to?: string;
  readonly from?: string;
}

async function piped(
  args: readonly string[],
  { to, from }: Piped,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const input = from === undefined ? undefined : await open(from, 'r');
  const out = to === undefined ? undefined : await open(to, 'w', 0o600);
  try {
    const stdio = [input?.fd ?? 'ignore', out?.fd ?? 2, 2] as never;
    const [code] = await once(spawn('docker', args, { cwd: ROOT, stdio, env }), 'exit');
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}`);
  } finally {
    await input?.close();
    await out?.close();
  }
}

const TAR = ['--entrypoint', 'tar', 'postgres:17', '-C', '/volume'];

/** Writes what a volume holds into a file, as docs/deployment.md does. */
export async function keepVolume(volume: string, to: string): Promise<void> {
  await piped(['run', '--rm', '-v', `${volume}:/volume:ro`, ...TAR, '-c', '.'], { to });
}

/** Fills a volume from such a file; owners and modes come with it. */
export async function fillVolume(volume: string, from: string): Promise<void> {
  await piped(['run', '--rm', '-i', '-v', `${volume}:/volume`, ...TAR, '-x'], { from });
}

/** What a test needs to say beside docker-compose.yml. */
export interface Terms {
  readonly directory: string;
  readonly project: string;
  readonly port: number;
  /** Address of this machine as containers reach it. */
  readonly hostAddress: string;
}

/** A deployment of docker-compose.yml for this machine; disposing it removes all. */
export async function openComposed(terms: Terms): Promise<Composed> {
  const { directory, project, port, hostAddress } = terms;
  const file = 'docker-compose.yml';
  const postgres = (await isStandIn('postgres:17')) ? { cap_add: ['DAC_OVERRIDE'] } : {};
  const override = { services: { ...(await builtHere(file, hostAddress)), postgres } };
  const options = ['--env-file', join(directory, 'compose.env')];
  const environment = { IMPOUND_PORT: String(port) };
  return await opened({ file, directory, project, override, options, environment });
}

/** A witness of deploy/witness.yml under that name, which keeps its things in `home`. */
export async function openWitness(
  terms: Terms & { readonly name: string; readonly home: string },
): Promise<Composed> {
  const { directory, project, port, hostAddress, name, home } = terms;
  const file = 'deploy/witness.yml';
  const override = { services: await builtHere(file, hostAddress) };
  const environment = { WITNESS_PORT: String(port), WITNESS_NAME: name, WITNESS_DIR: home };
  return await opened({ file, directory, project, override, options: [], environment });
}

interface Opening {
  readonly file: string;
  readonly directory: string;
  readonly project: string;
  readonly override: object;
  readonly options: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Writes the override file for this machine, and gives the handle. */
async function opened(terms: Opening): Promise<Composed> {
  const override = join(terms.directory, `${terms.project}.json`);
  await writeFile(override, JSON.stringify(terms.override));
  const files = ['-f', terms.file, '-f', override];
  const fixed = ['compose', '-p', terms.project, ...terms.options, ...files];
  const environment = {
    ...process.env,
    ...terms.environment,
    IMPOUND_IMAGES: 'impound-test',
    // One after the other, so that also a builder without shared stages installs once only.
    COMPOSE_PARALLEL_LIMIT: '1',
  };
  const compose = async (...args: readonly string[]) => {
    const options = { cwd: ROOT, stdio: ['ignore', 2, 2] as never, env: environment };
    const [code] = await once(spawn('docker', [...fixed, ...args], options), 'exit');
    if (code !== 0) throw new Error(`docker compose ${args.join(' ')} ended with ${code}`);
  };
  const ask = async (...args: readonly string[]) => {
    const options = { cwd: ROOT, env: environment, maxBuffer: OUTPUT_BYTES_MAX };
    return (await run('docker', [...fixed, ...args], options)).stdout.trim();
  };
  const container = (service: string) => ask('ps', '--all', '--quiet', service);
  return {
    compose,
    pipe: (args, file) => piped([...fixed, ...args], file, environment),
    project: terms.project,
    ask,
    container,
    inspect: async (service, format) =>
      await output('docker', ['inspect', '--format', format, await container(service)]),
    [Symbol.asyncDispose]: () => compose('down', '--volumes', '--remove-orphans', '--timeout', '5'),
  };
}

/** Builds with this machine's npm configuration, and lets services reach its pretend cluster. */
async function builtHere(file: string, hostAddress: string): Promise<object> {
  const npm = async (key: string) => await output('npm', ['config', 'get', key]);
  const [registry, cafile] = [await npm('registry'), await npm('cafile')];
  const args = {
    NPM_CONFIG_REGISTRY: registry,
    ...(cafile === 'null' ? {} : { NPM_CONFIG_CAFILE: cafile }),
  };
  const built = builtServices(file).map((name) => [
    name,
    { build: { network: 'host', args }, extra_hosts: [`kubernetes:${hostAddress}`] },
  ]);
  return Object.fromEntries(built);
}

/** The official image names its version; one that does not has another entry point as well. */
async function isStandIn(image: string): Promise<boolean> {
  const found = await output('docker', ['image', 'inspect', image]).catch(() => 'PG_MAJOR=');
  return !found.includes('PG_MAJOR=');
}
