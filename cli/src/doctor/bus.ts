// SPDX-License-Identifier: Apache-2.0
import { BUS_IDENTITIES } from '@impound/contracts/bus-rights.ts';
import { PARTIES } from '@impound/contracts/parties.ts';
import { consumerPlans } from '@impound/contracts/streams.ts';
import type {
  BusFacts,
  ConsumerFacts,
  ServerFacts,
  StreamFacts,
} from '@impound/runtime/bus-look.ts';
import { clockFinding } from './clock.ts';
import { checkOf, type Finding } from './finding.ts';
import { natsFinding } from './versions.ts';

const AS_OPERATOR = 'give doctor the seed of the identity operator (NATS_NKEY_FILE)';

/** Everything that the bus tells, judged. `local`: nobody outside this machine reaches it. */
export function busFindings(bus: BusFacts, local: boolean): readonly Finding[] {
  return [
    natsFinding(bus.version),
    doorFinding(bus),
    ...(bus.open ? [] : [rightsFinding(bus)]),
    encryptionFinding(bus, local),
    ...('unseen' in bus.server ? [unseenServer(bus.server.unseen)] : serverFindings(bus.server)),
    ...('unseen' in bus.stream ? [unseenStream(bus.stream.unseen)] : streamFindings(bus.stream)),
  ];
}

function doorFinding({ open }: BusFacts): Finding {
  const check = checkOf('nats-identities');
  if (!open) {
    return check.ok(`the bus asks who comes; it knows ${BUS_IDENTITIES.length} identities`);
  }
  return check.sick(
    'the bus lets in whoever comes: all may say, hear and delete everything',
    'run it with the accounts and permissions of impound: impound init writes them',
  );
}

function rightsFinding({ wide }: BusFacts): Finding {
  const check = checkOf('nats-rights');
  if (!wide) return check.ok('who only looks may not listen to what services say');
  return check.sick(
    'the identity with which doctor looks may listen to what services say, and more',
    'give nats-server the permissions of this version: impound init or impound keys writes them',
  );
}

/** The files of the server's configuration, against those that this version makes. */
export function configFinding(
  files: ReadonlyMap<string, string | undefined>,
  made: ReadonlyMap<string, string>,
): Finding {
  const check = checkOf('nats-permissions');
  const other = [...made].filter(([name, text]) => files.get(name) !== text).map(([name]) => name);
  if (other.length === 0) return check.ok('the bus is configured as this version wants it');
  return check.sick(
    `${other.join(', ')} of nats-server differ from what this version makes`,
    'run impound init or impound keys once more, then nats-server --signal reload',
  );
}

function encryptionFinding({ encrypted }: BusFacts, local: boolean): Finding {
  const check = checkOf('nats-encryption');
  if (encrypted) return check.ok('the bus speaks TLS');
  if (local) return check.ok('the bus speaks plain TCP, where nobody else listens');
  const next = 'give nats-server a certificate and use tls://, or keep the network to itself';
  return check.advice('the bus speaks plain TCP: whoever sees its network reads events', next);
}

function unseenServer(because: string): Finding {
  return checkOf('nats-durability').unknown(`the bus does not tell: ${because}`, AS_OPERATOR);
}

function serverFindings(server: ServerFacts): readonly Finding[] {
  return [durabilityFinding(server), clockFinding('the bus', server.clock)];
}

/** What is lost here is told again by the ledger: it costs time, and nothing that was recorded. */
function durabilityFinding({ syncsAlways, syncIntervalMs }: ServerFacts): Finding {
  const check = checkOf('nats-durability');
  if (syncsAlways === true) return check.ok('what the bus acknowledges is on disk');
  const every = syncIntervalMs === undefined ? '' : `, and is written every ${syncIntervalMs} ms`;
  return check.advice(
    `what the bus acknowledges may still be in memory${every}: a power cut makes it forget, and ` +
      'the ledger tells its open chains again',
    'set jetstream.sync_interval to always (nats-server 2.10 and newer), or run three replicas',
  );
}

function unseenStream(because: string): Finding {
  const next = `start the ledger, which lays the stream, or ${AS_OPERATOR}`;
  return checkOf('nats-stream').unknown(`the stream cannot be seen: ${because}`, next);
}

const FULL_PERCENT = 80;

function streamFindings(stream: StreamFacts): readonly Finding[] {
  return [replicaFinding(stream), sizeFinding(stream), ...consumerFindings(stream.consumers)];
}

function replicaFinding({ replicas, clustered }: StreamFacts): Finding {
  const check = checkOf('nats-replicas');
  if (replicas >= 3) return check.ok(`the stream has ${replicas} replicas`);
  if (!clustered) return check.ok('the stream has one replica, on the one server that there is');
  const next = 'nats stream edit IMPOUND --replicas 3: acquisitions stand still while one is away';
  return check.advice(`the stream has ${replicas} replicas in a cluster`, next);
}

function sizeFinding({ bytes, bytesMax }: StreamFacts): Finding {
  const check = checkOf('nats-stream');
  const percent = Math.round((bytes / Math.max(1, bytesMax)) * 100);
  if (percent < FULL_PERCENT) return check.ok(`the stream is ${percent} % full`);
  const next = 'look why: old events are dropped by then, and a service that was away misses them';
  return check.advice(`the stream is ${percent} % full`, next);
}

const BACKLOG = 100;

function consumerFindings(consumers: readonly ConsumerFacts[]): readonly Finding[] {
  const check = checkOf('consumers');
  const known = new Map(consumers.map((one) => [one.durable, one]));
  const plans = consumerPlans();
  const missing = plans.filter(({ durable }) => !known.has(durable));
  const deaf = plans.filter(({ durable }) => isDeaf(known.get(durable)));
  const late = consumers.filter(({ pending, again }) => pending > BACKLOG || again > 0);
  const findings = [
    ...missing.map(({ durable }) =>
      check.sick(`the consumer ${durable} is not there`, 'start the ledger: it lays them'),
    ),
    ...deafFindings(deaf.map(({ service }) => service)),
    ...late.map(({ durable, pending, again }) =>
      check.advice(
        `${durable} has ${pending} events to hear and was given ${again} more than once`,
        `look at the log of ${durable.split('_')[0]}`,
      ),
    ),
  ];
  return findings.length > 0 ? findings : [check.ok('every service hears, none is behind')];
}

/** Who works through what it was given pulls no more meanwhile. */
function isDeaf(consumer: ConsumerFacts | undefined): boolean {
  return consumer?.waiting === 0 && consumer.unanswered === 0;
}

/** An executor whose slots are all at work has claimed its assignments, and pulls none either. */
function deafFindings(services: readonly string[]): readonly Finding[] {
  const check = checkOf('consumers');
  return [...new Set(services)].map((service) =>
    PARTIES[service]?.route === undefined
      ? check.sick(`${service} does not hear: no process of it pulls`, `start ${service}`)
      : check.advice(
          `${service} takes nothing: it does not run, or all its slots are at work`,
          `look whether it runs: start ${service}, or another process of it`,
        ),
  );
}
