// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { inboxPrefix } from '@impound/contracts/bus-rights.ts';
import type { Integration } from '@impound/contracts/integration.ts';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import { busKeys, seedFile } from '../src/bus-keys.ts';
import { natsConfig, permissionsConfig, usersConfig } from '../src/nats-config.ts';
import { integrationsConfig } from '../src/nats-integrations.ts';
import { testBus, testFolder } from '../src/testing/bus.ts';

/** What differs from an installation as `impound keys` makes it. */
export interface Variant {
  readonly binary?: string;
  readonly head?: string;
  readonly integrations?: readonly Integration[];
  readonly change?: (text: string) => string;
}

/** A bus with the accounts and permissions of an installation, and a way in for each identity. */
export async function securedBus(t: TestContext, variant: Variant = {}) {
  const { binary, head = '', change = (text) => text } = variant;
  const folder = await testFolder(t);
  const users = `${change(permissionsConfig())}\n${usersConfig(await busKeys(folder))}`;
  const configOf = (those: readonly Integration[]) =>
    natsConfig({ head, users, integrations: integrationsConfig(those, Date.now()) });
  const bus = await testBus(t, { config: configOf(variant.integrations ?? []), binary });
  return {
    bus,
    seedFile: (identity: string) => seedFile(folder, identity),
    reload: (those: readonly Integration[]) => bus.reload(configOf(those)),
    enter: async (identity: string) => {
      const seed = await readFile(seedFile(folder, identity), 'latin1');
      return await enterBus(t, bus.url, Buffer.from(seed.trim()), inboxPrefix(identity));
    },
  };
}

/** Somebody with a seed; gone with the test. */
export async function enterBus(
  t: TestContext,
  servers: string,
  seed: Uint8Array,
  prefix = '_INBOX',
): Promise<NatsConnection> {
  const authenticator = nkeyAuthenticator(seed);
  const connection = await connect({ servers, authenticator, inboxPrefix: prefix });
  t.after(() => connection.close());
  return connection;
}
