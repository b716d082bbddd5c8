// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BUS_IDENTITIES } from '@impound/contracts/bus-rights.ts';
import { busKeys, endRotation, rotateKey, SYSTEM, seedFile } from '@impound/runtime/bus-keys.ts';
import {
  INTEGRATIONS_FILE,
  natsFiles,
  USERS_FILE,
  usersFile,
} from '@impound/runtime/nats-config.ts';
import { integrationsConfig } from '@impound/runtime/nats-integrations.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { readIntegrations } from '../integrations.ts';

/**
 * Makes what an installation's bus needs: a seed for each identity, and beside them the complete
 * configuration of nats-server, which holds public keys only. What is there is kept.
 */
export async function keys({ args, printer }: Here): Promise<number> {
  const [given, ...others] = args.positionals;
  if (given === undefined || others.length > 0) {
    throw new Exit(EXIT.usage, 'keys takes one folder; see impound help');
  }
  const folder = resolve(given);
  await turn(folder, { rotate: args.text('rotate'), finish: args.flag('finish') });
  const known = await busKeys(folder);
  const nats = join(folder, 'nats');
  await mkdir(nats, { recursive: true });
  const files = new Map([...natsFiles(), [USERS_FILE, usersFile(known)]]);
  const integrations = args.text('integrations');
  if (integrations === undefined) await makeEmpty(join(nats, INTEGRATIONS_FILE));
  else files.set(INTEGRATIONS_FILE, await accountsOf(integrations));
  for (const [name, text] of files) await writeFile(join(nats, name), text);
  printer.value('keys', { folder, nats, identities: [...known.keys()] });
  printer.line(`seeds, which only you can read: ${seedFile(folder, '*')}`);
  printer.line(`  each goes to its own service alone, which finds it by NATS_NKEY_FILE`);
  printer.line(
    `nats-server: ${join(nats, 'nats-server.conf')} (before 2.10: nats-server-2.9.conf)`,
  );
  printer.line('  a running one takes it up with: nats-server --signal reload, twice');
  if (args.text('rotate') !== undefined) for (const line of ROTATING) printer.line(line);
  return EXIT.ok;
}

const ROTATING = [
  'both keys count from then on: restart the service, and end with impound keys FOLDER --finish',
];

async function turn(
  folder: string,
  { rotate, finish }: { readonly rotate: string | undefined; readonly finish: boolean },
): Promise<void> {
  if (finish) await endRotation(folder);
  if (rotate === undefined) return;
  const known = [...BUS_IDENTITIES, SYSTEM];
  if (!known.includes(rotate)) {
    throw new Exit(EXIT.usage, `--rotate ${rotate}: it is one of ${known.join(', ')}`);
  }
  await rotateKey(folder, rotate);
}

async function accountsOf(file: string): Promise<string> {
  const { integrations } = await readIntegrations(file);
  return integrationsConfig(integrations, Date.now());
}

/** What a nats-server configuration includes has to be there. */
async function makeEmpty(file: string): Promise<void> {
  await writeFile(file, '', { flag: 'wx' }).catch(ignoreExisting);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
