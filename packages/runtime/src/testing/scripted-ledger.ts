// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { LedgerEntryV1 } from '@impound/contracts/ask/ledger.entry.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { type Acquisition, fold, liveExecution } from '@impound/contracts/chain.ts';
import { Entry, entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { Envelope, serviceOf } from '@impound/contracts/envelope.ts';
import { eventSubject } from '@impound/contracts/event.ts';
import { CaseId } from '@impound/contracts/ids.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { plansOf } from '@impound/contracts/streams.ts';
import { formatTarget, Target } from '@impound/contracts/target.ts';
import { timeOf } from '@impound/contracts/time.ts';
import * as z from 'zod';
import { jsonOf } from '../ask.ts';
import { type Incoming, openDoor } from '../door.ts';
import { newId } from '../ids.ts';
import { openLog } from '../log.ts';
import { layStream, tell } from '../relay.ts';
import type { Saying } from '../say.ts';
import { answer, type House, service } from '../service.ts';
import { type Running, start } from '../start.ts';
import type { TestScope } from './bus.ts';

type Recorded = ReplyOf<typeof LedgerHistoryV1>['entries'][number] & { readonly entry: Entry };

/** A ledger for tests of other services: real messages and chains, kept in memory. */
export interface ScriptedLedger {
  /** Records an event as if a service had said it, and tells it. */
  record(
    saying: Pick<Saying, 'contract' | 'data' | 'acquisitionId'> &
      Partial<Pick<Saying, 'tenant' | 'id'>>,
  ): Promise<Entry>;
  chain(acquisitionId: string): readonly Entry[];
  /** The leaf hash of the entry with an event. */
  hashOf(eventId: string): string | undefined;
  /** Ends it as a crash would: nobody answers any more. */
  stop(): Promise<void>;
  /** Starts it again after a stop, with all that it had recorded. */
  again(): Promise<void>;
}

/** Sees a say before it is taken; what it gives, where it gives something, is the answer. */
export type BeforeSay = (
  event: z.output<typeof Envelope>,
) => SayReply | undefined | Promise<SayReply | undefined>;

/** Starts one on a bus, with the stream and the consumers of these services. */
export async function scriptedLedger(
  t: TestScope,
  natsUrl: string,
  services: readonly string[],
  before: BeforeSay = () => undefined,
): Promise<ScriptedLedger> {
  const log: Recorded[] = [];
  let house: House | undefined;
  const ledger = service({
    name: 'ledger',
    config: z.object({}),
    open: async (_config, _scope, opened) => {
      house = opened;
      await layStream(opened, services.flatMap(plansOf));
      // What could not be told stays recorded and unanswered: it is said again.
      const come = (incoming: Incoming) =>
        void take({ house: opened, log, before }, incoming).catch(() => undefined);
      openDoor(opened, come, opened.stopping);
      return {};
    },
    says: [],
    hears: [],
    answers: [
      answer(LedgerHistoryV1, async (asked) => history(log, asked)),
      answer(LedgerHeadV1, async (asked) => head(log, asked)),
      answer(LedgerListV1, async (asked) => list(log, asked)),
      answer(LedgerOpenV1, async (asked) => open(log, asked)),
      answer(LedgerEntryV1, async (asked) => entryOf(log, asked)),
      answer(LedgerAuditV1, async (asked) => audit(log, asked)),
    ],
  });
  const begin = () => start(ledger, { NATS_URL: natsUrl }, openLog('ledger', 'silent'));
  let running: Running | undefined = await begin();
  const stop = async () => {
    const ending = running;
    running = undefined;
    await ending?.[Symbol.asyncDispose]();
  };
  t.after(stop);
  return {
    record: async (saying) => {
      if (house === undefined) throw new Error('the scripted ledger is not open');
      return await append(house, log, envelopeOf(saying));
    },
    chain: (acquisitionId) => chainOf(log, acquisitionId).map(({ entry }) => entry),
    hashOf: (eventId) => log.find(({ entry }) => entry.event.id === eventId)?.hash,
    stop,
    again: async () => {
      running ??= await begin();
    },
  };
}

function envelopeOf(saying: Parameters<ScriptedLedger['record']>[0]): z.output<typeof Envelope> {
  return Envelope.parse({
    specversion: '1.0',
    id: saying.id ?? newId(),
    source: '/impound/test/test-1',
    type: saying.contract.type,
    subject: saying.acquisitionId,
    time: timeOf(Date.now()),
    datacontenttype: 'application/json',
    tenant: saying.tenant ?? 'default',
    data: saying.contract.shape.parse(saying.data),
  });
}

/** By tenant and type only. */
function audit(log: readonly Recorded[], asked: RequestOf<typeof LedgerAuditV1>) {
  const { tenant, filter, after, limit } = asked;
  const fitting = log.filter(
    ({ seq, entry: { event } }) =>
      seq > after && event.tenant === tenant && event.type === filter.type,
  );
  const [entries, more] = [fitting.slice(0, limit), fitting.length > limit];
  return { size: log.length, entries, ...(more && { next: entries.at(-1)?.seq }) };
}

function chainOf(log: readonly Recorded[], acquisitionId: string): readonly Recorded[] {
  return log.filter(({ entry }) => entry.acq === acquisitionId);
}

async function append(
  house: House,
  log: Recorded[],
  event: z.output<typeof Envelope>,
): Promise<Entry> {
  const before = chainOf(log, event.subject).at(-1);
  const text = entryText(
    {
      acq: event.subject,
      acqSeq: (before?.entry.acqSeq ?? 0) + 1,
      acqPrev: before?.hash ?? NO_PREVIOUS,
      recordedAt: timeOf(Date.now()),
      salt: randomBytes(16).toString('base64'),
    },
    canonical(event),
  );
  const bytes = Buffer.from(text);
  const hash = createHash('sha256').update('\0').update(bytes).digest('hex');
  const entry = Entry.parse(JSON.parse(text));
  const seq = log.length;
  log.push({ seq, hash, text, entry });
  const route = String(event.data['executor'] ?? '_');
  const to = { type: event.type, tenant: event.tenant, acquisitionId: event.subject };
  const subject = eventSubject({
    ...to,
    route: event.type === 'acquisition.assigned.v1' ? route : '_',
  });
  const { id: eventId, traceparent } = event;
  await tell(house, { subject, seq, eventId, entryHash: hash, bytes, traceparent });
  return entry;
}

interface Door {
  readonly house: House;
  readonly log: Recorded[];
  readonly before: BeforeSay;
}

async function take({ house, log, before }: Door, incoming: Incoming): Promise<void> {
  const read = Envelope.safeParse(jsonOf(incoming.bytes));
  if (!read.success) {
    const because = read.error.message.slice(0, 1_000);
    return incoming.answer({ ok: false, refusal: 'invalid', because, version: 0 });
  }
  const event = read.data;
  const answered = await before(event);
  if (answered !== undefined) return incoming.answer(answered);
  const chain = chainOf(log, event.subject);
  const first = log.find(({ entry }) => entry.event.id === event.id);
  const version = chain.length;
  if (first === undefined && version > 0 && event.type === 'acquisition.requested.v1') {
    const because = 'the acquisition has begun already';
    return incoming.answer({ ok: false, refusal: 'conflict', because, version });
  }
  if (first === undefined && (incoming.expectedVersion ?? version) !== version) {
    const because = `the chain is at ${version}`;
    return incoming.answer({ ok: false, refusal: 'conflict', because, version });
  }
  if (first === undefined) await append(house, log, event);
  const placed = first ?? log.find(({ entry }) => entry.event.id === event.id);
  if (placed === undefined) throw new Error('nothing was recorded');
  incoming.answer(standing(placed, event, first !== undefined));
}

function standing(placed: Recorded, event: z.output<typeof Envelope>, repeated: boolean): SayReply {
  const differs = repeated && canonical(placed.entry.event.data) !== canonical(event.data);
  const { seq, hash: entryHash } = placed;
  return { ok: true, seq, version: placed.entry.acqSeq, entryHash, repeated, differs };
}

type Asked<Q extends Parameters<typeof answer>[0]> = RequestOf<Q>;

function history(log: readonly Recorded[], asked: Asked<typeof LedgerHistoryV1>) {
  const chain = ofTenant(chainOf(log, asked.acquisitionId), asked.tenant);
  const entries = chain
    .filter(({ entry }) => entry.acqSeq > asked.after)
    .slice(0, PAGE)
    .map(({ seq, hash, text }) => ({ seq, hash, text }));
  return { version: chain.length, entries };
}

/** Small, so that whoever asks must ask again. */
const PAGE = 3;

function ofTenant(chain: readonly Recorded[], tenant: string): readonly Recorded[] {
  return chain.filter(({ entry }) => entry.event.tenant === tenant);
}

function head(
  log: readonly Recorded[],
  asked: Asked<typeof LedgerHeadV1>,
): ReplyOf<typeof LedgerHeadV1> {
  const chain = ofTenant(chainOf(log, asked.acquisitionId), asked.tenant);
  const state = fold(chain.map(({ entry }) => entry));
  const live = liveExecution(state);
  const ended = state.ended !== undefined;
  const caused = chain.some(
    ({ entry: { event } }) =>
      event.causationid === asked.causedBy?.id &&
      serviceOf(event.source) === asked.causedBy?.service,
  );
  return {
    version: state.version,
    stop: ended || state.cancellation !== undefined,
    ended,
    ...(state.ended === undefined ? {} : { ending: state.ended.type }),
    ...(live === undefined ? {} : { epoch: live.assigned.epoch }),
    ...(live?.started === undefined ? {} : { claimedBy: live.started.worker }),
    ...(asked.causedBy === undefined ? {} : { caused }),
  };
}

function list(
  log: readonly Recorded[],
  asked: Asked<typeof LedgerListV1>,
): ReplyOf<typeof LedgerListV1> {
  const begun = log.filter(({ entry }) => entry.acqSeq === 1).toReversed();
  const acquisitions = ofTenant(begun, asked.tenant)
    .filter(({ seq }) => asked.before === undefined || seq < asked.before)
    .map(({ seq, entry }) => {
      const state = fold(chainOf(log, entry.acq).map((one) => one.entry));
      const begun = state.request ?? entry.event.data;
      return {
        acquisitionId: entry.acq,
        caseId: CaseId.parse(begun['caseId']),
        target: formatTarget(Target.parse(begun['target'])),
        seq,
        version: state.version,
        requestedAt: state.requestedAt,
        lastAt: state.lastAt,
        ...(state.ended === undefined ? {} : { ended: state.ended.type }),
      };
    })
    .filter(({ caseId }) => asked.caseId === undefined || caseId === asked.caseId);
  return { acquisitions: acquisitions.slice(0, asked.limit) };
}

function entryOf(
  log: readonly Recorded[],
  asked: Asked<typeof LedgerEntryV1>,
): ReplyOf<typeof LedgerEntryV1> {
  const found = log.find(({ entry }) => entry.event.id === asked.eventId);
  if (found?.entry.event.tenant !== asked.tenant) return {};
  return { acquisitionId: found.entry.acq, text: found.text };
}

function open(
  log: readonly Recorded[],
  asked: Asked<typeof LedgerOpenV1>,
): ReplyOf<typeof LedgerOpenV1> {
  const begun = log.filter(({ seq, entry }) => entry.acqSeq === 1 && seq > asked.after);
  const chains = begun.flatMap(({ seq, entry }) => {
    const state = fold(chainOf(log, entry.acq).map((one) => one.entry));
    const target = state.request && formatTarget(state.request.target);
    const meant = (asked.target ?? target) === target && (asked.tenant ?? state.tenant);
    if (state.ended || meant !== state.tenant || !isBy(state, asked.actor)) return [];
    return [{ tenant: entry.event.tenant, acquisitionId: entry.acq, seq, version: state.version }];
  });
  return { chains: chains.slice(0, asked.limit) };
}

function isBy({ request }: Acquisition, actor: string | undefined): boolean {
  return actor === undefined || request?.requestedBy.id === actor;
}
