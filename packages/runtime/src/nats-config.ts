// SPDX-License-Identifier: Apache-2.0
import {
  ANSWER_SECONDS_MAX,
  BUS_IDENTITIES,
  type BusRights,
  busRights,
  SERVER_SUBJECT,
} from '@impound/contracts/bus-rights.ts';
import { type BusKeys, SYSTEM } from './bus-keys.ts';

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
# Finds out within a minute that the other side of a connection is gone.
ping_interval: "20s"
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
