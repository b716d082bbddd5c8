// SPDX-License-Identifier: Apache-2.0
import type { SayReply } from '@impound/contracts/say.ts';
import {
  type Attributes,
  context,
  createContextKey,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { ATTRIBUTE } from './semantics.ts';
import {
  activeSpan,
  type Place,
  readParent,
  spanned,
  traceparent,
  tracerOf,
  untraced,
} from './span.ts';

/** The ids that the next root span is to have: for the SDK module's generator of ids. */
export const FORETOLD = createContextKey('impound.foretold');

/**
 * The trace of an acquisition is its own id without dashes, and the id of its root span the second
 * half of that: whoever knows the acquisition knows the trace, and nobody has to carry it on.
 */
export function rootOf(acquisitionId: string): SpanContext {
  const traceId = acquisitionId.replaceAll('-', '').toLowerCase();
  return { traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

/** Under the first of these that belongs to the acquisition, else under its root; others linked. */
function placeIn(acquisitionId: string, near: readonly (SpanContext | undefined)[]): Place {
  const root = rootOf(acquisitionId);
  const given = near.filter((one) => one !== undefined);
  const own = given.find(({ traceId }) => traceId === root.traceId);
  const others = given.filter(({ traceId }) => traceId !== root.traceId);
  return {
    parent: trace.setSpanContext(context.active(), own ?? root),
    links: others.map((one) => ({ context: one })),
  };
}

/** An event that is said. */
interface Speaking {
  readonly service: string;
  readonly type: string;
  readonly id: string;
  readonly acquisitionId: string;
  readonly begins: boolean;
  /** The trace context of what made it necessary. */
  readonly inherited: string | undefined;
}

/** Says an event inside a span of its acquisition; `work` gets the trace context to carry. */
export async function tracedSay(
  of: Speaking,
  work: (traceparent: string | undefined) => Promise<SayReply>,
): Promise<SayReply> {
  const active = activeSpan();
  const root = rootOf(of.acquisitionId);
  if (active !== undefined && active.spanContext().traceId !== root.traceId) {
    // The request that this comes from is in its caller's trace: it names the acquisition's.
    active.addLink({ context: root });
    active.setAttribute(ATTRIBUTE.acquisition, of.acquisitionId);
  }
  if (of.begins) return await tracedBeginning(of, root, work);
  const place = placeIn(of.acquisitionId, [active?.spanContext(), readParent(of.inherited)]);
  const spanning = { ...place, ...sendingOf(of), kind: SpanKind.PRODUCER };
  return await spanned(spanning, async (span) => {
    const reply = await work(traceparent(of.inherited));
    if (!reply.ok) span.setAttribute(ATTRIBUTE.error, reply.refusal);
    return reply;
  });
}

function sendingOf({ service, type, id, acquisitionId }: Speaking) {
  const attributes = { ...messaging('send', type), ...about(acquisitionId, id) };
  return { service, name: `send ${type}`, attributes };
}

/** The root of the trace: told once it is on record that the acquisition began here and now. */
async function tracedBeginning(
  of: Speaking,
  root: SpanContext,
  work: (traceparent: string | undefined) => Promise<SayReply>,
): Promise<SayReply> {
  const startTime = Date.now();
  const asked = trace.getSpanContext(context.active());
  const carried = traceparent(of.inherited, trace.setSpanContext(context.active(), root));
  const reply = await work(carried);
  if (!reply.ok || reply.repeated) return reply;
  const { service, name, attributes } = sendingOf(of);
  const links = asked === undefined ? [] : [{ context: asked }];
  context.with(context.active().setValue(FORETOLD, root), () => {
    const options = { kind: SpanKind.PRODUCER, root: true, startTime, attributes, links };
    tracerOf(service).startSpan(name, options).end();
  });
  return reply;
}

/** Who heard what, as far as its trace is concerned. */
interface Hearing {
  readonly service: string;
  readonly type: string;
  readonly id: string;
  readonly acquisitionId: string;
  /** The event's own trace context: who said it. */
  readonly said: string | undefined;
  /** That of the message: who published it. */
  readonly told: string | undefined;
  readonly recordedAtMs: number;
  readonly again: boolean;
  readonly delivery: number;
}

/** Heard later than this, an event's span is linked to the one that said it and is no child. */
const NEAR_MS = 600_000;

/** Handles a heard event inside a span of its acquisition. */
export async function tracedHearing<T>(of: Hearing, work: () => Promise<T>): Promise<T> {
  const { service, type, id, acquisitionId, again, delivery } = of;
  const said = readParent(of.said);
  const isFar = again || Date.now() - of.recordedAtMs > NEAR_MS;
  const place = placeIn(acquisitionId, isFar ? [] : [readParent(of.told), said]);
  const links = said === undefined ? [] : [{ context: said }];
  const attributes = {
    ...messaging('process', type),
    ...about(acquisitionId, id),
    [ATTRIBUTE.toldAgain]: again,
    [ATTRIBUTE.delivery]: delivery,
  };
  const kind = SpanKind.CONSUMER;
  const name = `process ${type}`;
  return await spanned({ service, name, kind, attributes, ...place, links }, work);
}

/** Puts a question inside a span, if anything is being traced. */
export async function tracedAsk<T>(
  of: { readonly service: string; readonly name: string },
  work: () => Promise<T>,
): Promise<T> {
  if (activeSpan() === undefined) return await untraced(work);
  return await spanned({ ...of, kind: SpanKind.CLIENT }, work);
}

/** Answers inside a span, if whoever asks is being traced. */
export async function tracedAnswer<T>(
  of: { readonly service: string; readonly name: string; readonly asked: string | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const asked = readParent(of.asked);
  if (asked === undefined) return await untraced(work);
  const parent = trace.setSpanContext(context.active(), asked);
  const { service, name } = of;
  return await spanned({ service, name, kind: SpanKind.SERVER, parent }, work);
}

function messaging(operation: string, type: string): Attributes {
  return {
    [ATTRIBUTE.system]: 'nats',
    [ATTRIBUTE.operation]: operation,
    [ATTRIBUTE.destination]: type,
  };
}

function about(acquisitionId: string, id: string): Attributes {
  return { [ATTRIBUTE.acquisition]: acquisitionId, [ATTRIBUTE.event]: id };
}
