// SPDX-License-Identifier: Apache-2.0
import {
  ANSWER_SECONDS_MAX,
  BUS_IDENTITIES,
  type BusRights,
  busRights,
  SERVER_SUBJECT,
} from '@impound/contracts/bus-rights.ts';
import { type BusKeys, SYSTEM } from './bus-keys.ts';
import { exportsConfig } from './nats-integrations.ts';

/** A nats-server configuration whose parts are files beside it, or stand in it. */
export interface NatsConfigParts {
  /** What goes before all: where it listens, what it keeps, how often it syncs. */
  readonly head: string;
  /** The variables SERVICES and SYSTEM, or what includes them. */
  readonly users: string;
  /** The accounts of the integrations, or what includes them. */
  readonly integrations: string;
}

const BYTES_PER_MIB = 1_048_576;
const PAYLOAD_MIB_MAX = 1;
const STORED_MIB_MAX = 2_048;
const MEMORY_MIB_MAX = 64;
const CONNECTIONS_MAX = 1_024;
const SUBSCRIPTIONS_MAX = 1_024;
const CONSUMERS_MAX = 128;
const AUTH_SECONDS_MAX = 10;

/**
 * Accounts, limits and who may be what: the same for one machine and for a deployment. Every field
 * is understood by nats-server 2.9.10 and newer.
 */
export function natsConfig({ head, users, integrations }: NatsConfigParts): string {
  return `${head}
${users}

max_payload: ${PAYLOAD_MIB_MAX * BYTES_PER_MIB}
max_connections: ${CONNECTIONS_MAX}
max_subscriptions: ${SUBSCRIPTIONS_MAX}
# Finds out within 15 s that the other side of a connection is gone or stands still: until then
# it gets its share of what is asked of its service, and answers nothing.
ping_interval: "5s"
ping_max: 2
write_deadline: "10s"
authorization { timeout: ${AUTH_SECONDS_MAX} }

system_account: SYS
accounts {
  SYS {
    users: $SYSTEM
    exports: [ { service: ${quoted(VARZ)}, accounts: [ IMPOUND ] } ]
  }
  IMPOUND {
    users: $SERVICES
    jetstream {
      max_file: ${STORED_MIB_MAX * BYTES_PER_MIB}
      max_streams: 1
      max_consumers: ${CONSUMERS_MAX}
    }
    exports: [
${exportsConfig()}
    ]
    imports: [
      { service: { account: SYS, subject: ${quoted(VARZ)} }, to: ${quoted(SERVER_SUBJECT)} }
    ]
  }
${integrations}
}
`;
}

const VARZ = '$SYS.REQ.SERVER.PING.VARZ';

/** What each identity may do, as variables that users.conf refers to. */
export function permissionsConfig(): string {
  return BUS_IDENTITIES.map((identity) => {
    const { publish, subscribe, answers } = busRights(identity);
    return `${variable(identity)}: {
  publish: { allow: ${list(publish)} }
  subscribe: { allow: ${list(subscribe)} }
${answers ? `  allow_responses: { max: 1, expires: "${ANSWER_SECONDS_MAX}s" }\n` : ''}}
`;
  }).join('\n');
}

/** Who is what: public keys only. Two keys of one identity count both, which is how one rotates. */
export function usersConfig(keys: BusKeys): string {
  const services = BUS_IDENTITIES.flatMap((identity) =>
    (keys.get(identity) ?? []).map(
      (key) => `  { nkey: ${key}, permissions: $${variable(identity)} }`,
    ),
  );
  const system = (keys.get(SYSTEM) ?? []).map((key) => `  { nkey: ${key} }`);
  return [...['SERVICES: [', ...services, ']'], ...['SYSTEM: [', ...system, ']'], ''].join('\n');
}

function variable(identity: string): string {
  return `MAY_${identity.replaceAll('-', '_').toUpperCase()}`;
}

function list(subjects: BusRights['publish']): string {
  return `[\n${subjects.map((subject) => `    ${quoted(subject)}`).join('\n')}\n  ]`;
}

function quoted(subject: string): string {
  return `"${subject}"`;
}

/** Where the parts of an installation lie beside the configuration, whose own they are. */
export const USERS_FILE = 'users.conf';
export const INTEGRATIONS_FILE = 'integrations.conf';

/** The files that are the same for every installation, by name: deploy/nats holds them. */
export function natsFiles(): ReadonlyMap<string, string> {
  const users = `include "./${USERS_FILE}"`;
  const integrations = `  include "./${INTEGRATIONS_FILE}"`;
  const server = (about: string, sync: string) =>
    natsConfig({ head: `${MADE}${about}${headOf(sync)}`, users, integrations });
  return new Map([
    ['nats-server.conf', server(ABOUT_NEW, '\n  sync_interval: always')],
    ['nats-server-2.9.conf', server(ABOUT_OLD, '')],
    ['permissions.conf', `${MADE}${ABOUT_PERMISSIONS}${permissionsConfig()}`],
  ]);
}

/** users.conf of an installation. */
export function usersFile(keys: BusKeys): string {
  return `${ABOUT_USERS}include "./permissions.conf"\n${usersConfig(keys)}`;
}

const MADE = '# Made by `npm run generate` from contracts/src/parties.ts; edit that.\n';
const ABOUT_NEW = '# nats-server 2.10 and newer: an acknowledged message is on the disk.\n';
const ABOUT_OLD = `# nats-server 2.9, which refuses sync_interval: what it took may be in memory.
# impound loses nothing by that, for the ledger tells its open chains again.
`;
const ABOUT_PERMISSIONS = '# What each identity may do on the bus; everything else is denied.\n';
const ABOUT_USERS = `# Who is what on this bus: public keys, made by \`impound keys\`.
# Two lines with one permission are two keys that count both.
`;

function headOf(sync: string): string {
  return `# Beside it lie users.conf and integrations.conf, which \`impound keys\` makes.
# After a change there: nats-server --signal reload.
listen: "0.0.0.0:4222"
http: "127.0.0.1:8222"
# Without TLS, run it in a network of its own. With it, services take NATS_URL=tls://...
# tls { cert_file: "/etc/nats/tls/server.crt", key_file: "/etc/nats/tls/server.key" }
jetstream {
  store_dir: "/data"
  max_memory_store: ${MEMORY_MIB_MAX * BYTES_PER_MIB}
  max_file_store: ${2 * STORED_MIB_MAX * BYTES_PER_MIB}${sync}
}
`;
}
