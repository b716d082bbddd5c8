// SPDX-License-Identifier: Apache-2.0
import { canonical } from '@impound/contracts/canonical.ts';
import { ConflictNoticedV1 } from '@impound/contracts/conflict/noticed.v1.ts';
import { ExecutionFencedV1 } from '@impound/contracts/execution/fenced.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import {
  append,
  type Batch,
  type Draft,
  type First,
  firstOf,
  headOf,
  type Known,
  note,
  openBatch,
  type SealLeaf,
  type Tools,
} from './batch.ts';
import { type Fenced, fencedBy, outOfOrder } from './fence.ts';
import type { ChainHead } from './head.ts';
import { refusal } from './refusal.ts';
import { saysTheSame } from './same.ts';
import type { Say } from './say.ts';

/** What becomes of a batch of says, all of it together. */
export interface Decided {
  /** One answer per say, in their order; true only once the drafts are committed. */
  readonly replies: readonly SayReply[];
  readonly drafts: readonly Draft[];
  /** Leaves between and after the drafts, which stand for their seals. */
  readonly leaves: readonly SealLeaf[];
  /** What the drafts hold, by its id. */
  readonly firsts: ReadonlyMap<string, First>;
  /** The chains that moved. */
  readonly heads: ReadonlyMap<string, ChainHead>;
  /** Not empty: look these up and decide again, nothing else here counts. */
  readonly unknown: { readonly ids: ReadonlySet<string>; readonly acqs: ReadonlySet<string> };
}

/** Decides says one after the other, each seeing what those before it have moved. */
export function decide(
  says: readonly Say[],
  known: Known,
  log: { readonly size: number; readonly tools: Tools },
): Decided {
  const batch = openBatch(log.size, known, log.tools);
  const replies = says.map((say) => rule(say, batch));
  const { drafts, leaves, firsts, heads, unknown } = batch;
  return { replies, drafts, leaves, firsts, heads, unknown };
}

function rule(say: Say, batch: Batch): SayReply {
  const first = firstOf(batch, say.event.id);
  if (first !== undefined) return repeated(say, first, batch);
  const head = headOf(batch, say.event.subject);
  if (head !== undefined && head.tenant !== say.event.tenant) {
    return refusal('forbidden', 'the acquisition belongs to another tenant', 0);
  }
  const conflict = conflictOf(say, head);
  if (conflict !== undefined) return refusal('conflict', conflict, head?.version ?? 0);
  const fenced = head && fencedBy(say, head);
  if (fenced !== undefined) return fence(say, fenced, batch);
  return placeOf(append(batch, say, head), { repeated: false, differs: false });
}

function conflictOf(say: Say, head: ChainHead | undefined): string | undefined {
  const version = head?.version ?? 0;
  if (say.contract.begins && head !== undefined) return 'the acquisition has begun already';
  if (!say.contract.begins && head === undefined) return 'there is no such acquisition';
  if (say.expectedVersion !== undefined && say.expectedVersion !== version) {
    return `expected version ${say.expectedVersion}, the chain is at ${version}`;
  }
  return head && outOfOrder(say, head);
}

function placeOf(first: First, how: { repeated: boolean; differs: boolean }): SayReply {
  const { seq, version, hash: entryHash, recordedAt } = first;
  return { ok: true, seq, version, entryHash, recordedAt, ...how };
}

/** The first one stands. A repeat that says something else is put on record beside it. */
function repeated(say: Say, first: First, batch: Batch): SayReply {
  const differs = first.text !== say.text && !saysTheSame(first.event, say.event);
  if (differs) {
    const repeatSha256 = batch.tools.sha256(say.text);
    note(batch, ConflictNoticedV1, {
      id: batch.tools.childId(say.event.id, ConflictNoticedV1.type, repeatSha256),
      cause: first.event,
      acq: first.event.subject,
      data: {
        repeatedId: say.event.id,
        firstSha256: batch.tools.sha256(first.text),
        repeatSha256,
        repeatSource: say.event.source,
      },
    });
  }
  return placeOf(first, { repeated: true, differs });
}

const REFUSED_DATA_BYTES_MAX = 16_384;

/** Refused as an effect, kept as a fact: what was done to a target must be on record. */
function fence(say: Say, fenced: Fenced, batch: Batch): SayReply {
  const { event } = say;
  const refusedData = smallEnough(event.data);
  note(batch, ExecutionFencedV1, {
    id: batch.tools.childId(event.id, ExecutionFencedV1.type),
    cause: event,
    acq: event.subject,
    data: {
      ...fenced,
      refusedId: event.id,
      refusedType: event.type,
      refusedSource: event.source,
      refusedAt: event.time,
      refusedSha256: batch.tools.sha256(say.text),
      ...(refusedData === undefined ? {} : { refusedData }),
    },
  });
  return refusal('fenced', fenced.because, headOf(batch, event.subject)?.version ?? 0);
}

/** Where data sits in another event it is one level deeper, which canonical JSON may refuse. */
function smallEnough(data: Record<string, unknown>): Record<string, unknown> | undefined {
  try {
    const text = canonical({ data: { refusedData: data } });
    const { length } = new TextEncoder().encode(text);
    return length <= REFUSED_DATA_BYTES_MAX ? data : undefined;
  } catch {
    return undefined;
  }
}
