// SPDX-License-Identifier: Apache-2.0
// Who may do what on the bus, told once more from the table of parties and in other words than the
// permissions are made with, so that the one can be held against the other.
import { eventSubject, nounVerb } from '@impound/contracts/event.ts';
import { EVENTS } from '@impound/contracts/events.ts';
import { PARTIES } from '@impound/contracts/parties.ts';

/** One thing that can be tried on the bus, and who may. */
export interface Deed {
  readonly subject: string;
  /** Given: it subscribes in this queue group; undefined where it publishes. */
  readonly queue?: string;
  readonly may: readonly string[];
}

const SERVICES = Object.keys(PARTIES);
const TYPES = EVENTS.map(({ type }) => type);
const QUESTIONS = [
  ...new Set(Object.values(PARTIES).flatMap(({ asks, answers }) => [...asks, ...answers])),
];
const LOOKING = ['ledger', 'operator'];
const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';

const those = (of: (party: (typeof PARTIES)[string]) => boolean): string[] =>
  SERVICES.filter((name) => of(PARTIES[name] as (typeof PARTIES)[string]));

const forAll = (may: readonly string[], ...subjects: string[]): Deed[] =>
  subjects.map((subject) => ({ subject, may }));

function sayings(): Deed[] {
  return SERVICES.flatMap((service) =>
    TYPES.flatMap((type) => {
      const said = service !== 'ledger' && PARTIES[service]?.says.includes(type);
      return ['default', 'other'].map((tenant) => ({
        subject: `impound.v1.say.${service}.${tenant}.${nounVerb(type).join('.')}`,
        may: said ? [service] : [],
      }));
    }),
  );
}

function events(): Deed[] {
  return TYPES.flatMap((type) =>
    forAll(
      ['ledger'],
      eventSubject({ type, route: '_', tenant: 'default', acquisitionId: ID }),
      eventSubject({ type, route: 'kubernetes', tenant: 'other', acquisitionId: ID }),
    ),
  );
}

function consumers(): Deed[] {
  return SERVICES.flatMap((service) =>
    (PARTIES[service]?.hears ?? []).flatMap((type) => {
      const durable = `${service}_${type.replaceAll('.', '_')}`;
      const route = (type.includes('assigned') && PARTIES[service]?.route) || '*';
      const filter = `impound.v1.event.${nounVerb(type).join('.')}.${route}.>`;
      const api = (verb: string) => `$JS.API.CONSUMER.${verb}.IMPOUND.${durable}`;
      return [
        ...forAll([service], api('MSG.NEXT'), `$JS.ACK.IMPOUND.${durable}.1.2.3.4.5`),
        ...forAll([service], `$JS.ACK._.hash.IMPOUND.${durable}.1.2.3.4.5.random`),
        ...forAll([service, ...LOOKING], api('INFO')),
        ...forAll(['ledger'], `${api('CREATE')}.${filter}`),
        ...forAll([], api('CREATE'), `${api('CREATE')}.impound.v1.event.>`, api('DURABLE.CREATE')),
        ...forAll([], ...['DELETE', 'PAUSE', 'UNPIN', 'RESET'].map(api)),
        ...forAll([], `$JS.API.CONSUMER.INFO.OTHER.${durable}`, `$JS.ACK.OTHER.${durable}.1.1`),
      ];
    }),
  );
}

function streams(): Deed[] {
  const api = (verb: string) => `$JS.API.STREAM.${verb}.IMPOUND`;
  const changing = ['UPDATE', 'DELETE', 'PURGE', 'SNAPSHOT', 'RESTORE', 'MSG.DELETE'];
  return [
    ...forAll(LOOKING, api('INFO')),
    ...forAll(['ledger'], api('CREATE'), api('MSG.GET')),
    ...forAll(['operator'], '$JS.API.CONSUMER.LIST.IMPOUND'),
    ...forAll([], ...changing.map(api), '$JS.API.CONSUMER.NAMES.IMPOUND'),
    ...forAll([], '$JS.API.STREAM.CREATE.OTHER', '$JS.API.STREAM.INFO.OTHER', '$JS.API.INFO'),
    ...forAll([], '$JS.API.STREAM.LIST', '$JS.API.STREAM.NAMES', '$JS.API.DIRECT.GET.IMPOUND'),
    ...forAll([], '$JS.API.ACCOUNT.PURGE.IMPOUND', '$JS.API.SERVER.REMOVE', '$JS.API.META.LEADER'),
    ...forAll([], '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.IMPOUND.x'),
  ];
}

/** Only the gateway is asked from outside, where the server writes tenant and integration. */
function askedAt(name: string, token = 'x'): string {
  const asked = ['impound.v1.ask', ...name.split('.').slice(0, 2)];
  return (name === 'gateway.submit.v1' ? [...asked, token, token] : asked).join('.');
}

/** Everything that somebody could want to publish. */
export const PUBLISHING: readonly Deed[] = [
  ...sayings(),
  ...events(),
  ...consumers(),
  ...streams(),
  ...QUESTIONS.map((name) => ({
    subject: askedAt(name),
    may: those(({ asks }) => asks.includes(name)),
  })),
  ...forAll(
    those(({ progress }) => progress === 'says'),
    `impound.v1.progress.default.${ID}`,
  ),
  ...forAll([], ...[...SERVICES, 'operator'].map((name) => `${inbox(name)}.abc.1`), '_INBOX.a.1'),
  ...forAll(LOOKING, 'impound.v1.server.varz'),
  ...forAll(['operator'], '$SRV.PING', '$SRV.INFO.ledger', '$SRV.STATS.ledger.ledger-1'),
  ...forAll([], '$SYS.REQ.SERVER.PING.VARZ', '$SYS.REQ.ACCOUNT.PING.CONNZ', '$SYS.REQ.USER.INFO'),
  ...forAll(
    [],
    'impound.v1.submit.default.siem',
    'impound.v1',
    'impound.v2.x',
    'anything',
    '_R_.a',
  ),
];

function inbox(name: string): string {
  return `_INBOX_${name.replaceAll('-', '_')}`;
}

function listening(subject: string, queue: string, may: readonly string[]): Deed[] {
  return [
    { subject, queue, may },
    ...['', 'other'].map((other) => ({ subject, queue: other, may: [] })),
  ];
}

const hears = (may: readonly string[], ...subjects: string[]): Deed[] =>
  subjects.map((subject) => ({ subject, queue: '', may }));

/** Everything that somebody could want to listen to. */
export const LISTENING: readonly Deed[] = [
  ...listening('impound.v1.say.*.*.*.*', 'ledger', ['ledger']),
  ...hears([], 'impound.v1.say.>', 'impound.v1.say.gateway.*.acquisition.requested'),
  ...QUESTIONS.flatMap((name) => {
    const [service = ''] = name.split('.');
    const answers = those((party) => party.answers.includes(name));
    return listening(askedAt(name, '*'), service, answers);
  }),
  ...hears(
    those(({ events }) => events === 'watches'),
    'impound.v1.event.*.*.*.default.*',
  ),
  ...hears(
    those(({ progress }) => progress === 'watches'),
    `impound.v1.progress.*.${ID}`,
  ),
  ...[...SERVICES, 'operator'].flatMap((name) => hears([name], `${inbox(name)}.abc.*`)),
  ...SERVICES.flatMap((name) => hears([name], `$SRV.PING.${name}`, `$SRV.INFO.${name}.${name}-1`)),
  ...hears(SERVICES, '$SRV.PING', '$SRV.STATS'),
  ...hears([], '>', '*', '*.>', 'impound.>', 'impound.v1.>', 'impound.v1.event.>', '_INBOX.>'),
  ...hears([], '$JS.>', '$JS.API.>', '$JS.ACK.>', '$JS.EVENT.>', '$SYS.>', '$SRV.>', '_R_.>'),
  ...hears([], 'impound.v1.ask.>', 'impound.v1.server.varz', 'impound.v1.ask.gateway.submit'),
];
