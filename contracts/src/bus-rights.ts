// SPDX-License-Identifier: Apache-2.0
import { GatewaySubmitV1 } from './ask/gateway.submit.v1.ts';
import { saySubject } from './event.ts';
import { PARTIES, type Party } from './parties.ts';
import { progressSubject } from './progress.ts';
import { askSubject, outsideSubject } from './question.ts';
import { consumerPlans, plansOf, STREAM } from './streams.ts';

/**
 * What one identity may do on the bus; nothing else. A subscription may name the queue group
 * behind its subject: then only that group is joined, and nobody listens beside it.
 */
export interface BusRights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** Whether it may answer whoever has asked it: once each, within ANSWER_SECONDS_MAX. */
  readonly answers: boolean;
}

/** How long a right to answer lasts: longer than anybody waits for an answer. */
export const ANSWER_SECONDS_MAX = 65;

/** Looks at the bus and at the services for an operator; says, hears and changes nothing. */
export const OPERATOR = 'operator';

/** Where a service hears answers; no other identity may listen there. */
export function inboxPrefix(identity: string): string {
  return `_INBOX_${identity.replaceAll('-', '_')}`;
}

/** Where the ledger and the operator ask what kind of server the bus is. */
export const SERVER_SUBJECT = 'impound.v1.server.varz';

const API = '$JS.API';
const SAYS = 'impound.v1.say.*.*.*.*';
const EVENTS = 'impound.v1.event.*.*.*.*.*';
const PROGRESS = progressSubject('*', '*');
const VERBS = ['PING', 'INFO', 'STATS'] as const;

/** Every identity of the bus: the services, and the operator who looks. */
export const BUS_IDENTITIES: readonly string[] = [...Object.keys(PARTIES), OPERATOR];

/** What an identity may do on the bus, as the table of parties gives it. */
export function busRights(identity: string): BusRights {
  if (identity === OPERATOR) return operatorRights();
  const party = PARTIES[identity];
  if (party === undefined) throw new TypeError(`nobody on the bus is called ${identity}`);
  const own = `${inboxPrefix(identity)}.>`;
  const answered = party.answers.map((name) => `${askedAt(name)} ${identity}`);
  const rights = {
    publish: [...saidBy(identity, party), ...party.asks.map(askSubject), ...hearing(identity)],
    subscribe: [own, ...answered, ...watched(party), ...discovered(identity)],
    answers: true,
  };
  if (identity !== 'ledger') return rights;
  return {
    ...rights,
    publish: [...rights.publish, ...telling()],
    subscribe: [...rights.subscribe, `${SAYS} ledger`],
  };
}

function askedAt(name: string): string {
  return name === GatewaySubmitV1.name ? outsideSubject(name, '*', '*') : askSubject(name);
}

/** The ledger records what it says itself without the bus. */
function saidBy(service: string, party: Party): readonly string[] {
  const says = service === 'ledger' ? [] : party.says;
  const said = says.map((type) => saySubject(service, '*', type));
  return party.progress === 'says' ? [...said, PROGRESS] : said;
}

/** Its own consumers: newer servers acknowledge at a subject with two more tokens. */
function hearing(service: string): readonly string[] {
  return plansOf(service).flatMap(({ durable }) => [
    `${API}.CONSUMER.INFO.${STREAM.name}.${durable}`,
    `${API}.CONSUMER.MSG.NEXT.${STREAM.name}.${durable}`,
    `$JS.ACK.${STREAM.name}.${durable}.>`,
    `$JS.ACK.*.*.${STREAM.name}.${durable}.>`,
  ]);
}

function watched({ progress, events }: Party): readonly string[] {
  return [...(progress === 'watches' ? [PROGRESS] : []), ...(events === 'watches' ? [EVENTS] : [])];
}

/** How the NATS services protocol finds it. */
function discovered(service: string): readonly string[] {
  return VERBS.flatMap((verb) => [
    `$SRV.${verb}`,
    `$SRV.${verb}.${service}`,
    `$SRV.${verb}.${service}.*`,
  ]);
}

/** What laying the stream and telling what was committed takes. */
function telling(): readonly string[] {
  return [
    EVENTS,
    SERVER_SUBJECT,
    `${API}.STREAM.INFO.${STREAM.name}`,
    `${API}.STREAM.CREATE.${STREAM.name}`,
    `${API}.STREAM.MSG.GET.${STREAM.name}`,
    ...consumerPlans().flatMap(({ durable, filter }) => [
      `${API}.CONSUMER.INFO.${STREAM.name}.${durable}`,
      `${API}.CONSUMER.CREATE.${STREAM.name}.${durable}.${filter}`,
    ]),
  ];
}

function operatorRights(): BusRights {
  return {
    publish: [
      SERVER_SUBJECT,
      `${API}.STREAM.INFO.${STREAM.name}`,
      `${API}.CONSUMER.INFO.${STREAM.name}.*`,
      `${API}.CONSUMER.LIST.${STREAM.name}`,
      ...VERBS.flatMap((verb) => [`$SRV.${verb}`, `$SRV.${verb}.>`]),
    ],
    subscribe: [`${inboxPrefix(OPERATOR)}.>`],
    answers: false,
  };
}
