// SPDX-License-Identifier: Apache-2.0
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import type { DataOf, EventContract } from '@impound/contracts/event.ts';
import { type ChainHead, firstHead, moved } from './head.ts';

/** The event that holds an id, and where it stands in the log. */
export interface First {
  readonly seq: number;
  readonly version: number;
  readonly hash: string;
  readonly recordedAt: string;
  readonly event: Envelope;
  /** The event's canonical text. */
  readonly text: string;
}

/** An entry that is to be appended. */
export interface Draft extends First {
  readonly caseId: string;
  /** The entry's canonical text: its UTF-8 bytes are stored and hashed. */
  readonly entry: string;
}

/**
 * A leaf by which sigsum keeps a seal: it follows the seal's entry. What its bytes are depends on a
 * signature, which whoever commits the batch has made.
 */
export interface SealLeaf {
  readonly seq: number;
  /** The text of the seal's entry. */
  readonly seal: string;
}

/** What the log is known to hold; null: it was looked for and is not there. */
export interface Known {
  readonly firsts: ReadonlyMap<string, First | null>;
  readonly heads: ReadonlyMap<string, ChainHead | null>;
}

/** Hashes, chance and time, which a pure function cannot have by itself. */
export interface Tools {
  /** SHA-256 of a text's UTF-8 bytes, lower-case hex. */
  sha256(text: string): string;
  /** The RFC 6962 leaf hash of an entry's text, lower-case hex. */
  leafHash(text: string): string;
  childId(causeId: string, type: string, discriminator?: string): string;
  /** 128 random bits in base64. */
  salt(): string;
  now(): string;
  /** The `source` of what the ledger itself says. */
  readonly source: string;
}

/** A batch in the making: the log as it is known, and what this batch adds to it. */
export interface Batch {
  readonly size: number;
  readonly known: Known;
  readonly tools: Tools;
  readonly recordedAt: string;
  readonly drafts: Draft[];
  readonly leaves: SealLeaf[];
  readonly firsts: Map<string, First>;
  readonly heads: Map<string, ChainHead>;
  /** What must be looked up before this batch can be decided. */
  readonly unknown: { readonly ids: Set<string>; readonly acqs: Set<string> };
}

/** A batch that begins at `size` entries. */
export function openBatch(size: number, known: Known, tools: Tools): Batch {
  return {
    size,
    known,
    tools,
    recordedAt: tools.now(),
    drafts: [],
    leaves: [],
    firsts: new Map(),
    heads: new Map(),
    unknown: { ids: new Set(), acqs: new Set() },
  };
}

/** Who holds this id: in the batch, or in the log. */
export function firstOf(batch: Batch, id: string): First | undefined {
  const first = batch.firsts.get(id) ?? batch.known.firsts.get(id);
  if (first === undefined) batch.unknown.ids.add(id);
  return first ?? undefined;
}

/** Where a chain stands after what the batch holds so far. */
export function headOf(batch: Batch, acq: string): ChainHead | undefined {
  const head = batch.heads.get(acq) ?? batch.known.heads.get(acq);
  if (head === undefined) batch.unknown.acqs.add(acq);
  return head ?? undefined;
}

/** Appends one event to its chain. */
export function append(
  batch: Batch,
  { event, text }: { readonly event: Envelope; readonly text: string },
  head: ChainHead = firstHead(event),
): Draft {
  const { tools, recordedAt } = batch;
  const version = head.version + 1;
  const acqPrev = head.version === 0 ? NO_PREVIOUS : head.last;
  const acq = event.subject;
  const entry = entryText({ acq, acqSeq: version, acqPrev, recordedAt, salt: tools.salt() }, text);
  const hash = tools.leafHash(entry);
  const seq = batch.size + batch.drafts.length + batch.leaves.length;
  const draft = { seq, version, hash, event, text, caseId: head.caseId, recordedAt, entry };
  batch.drafts.push(draft);
  if (event.type === AcquisitionSealedV1.type) batch.leaves.push({ seq: seq + 1, seal: entry });
  batch.firsts.set(event.id, draft);
  batch.heads.set(acq, moved(head, event, { version, last: hash }));
  return draft;
}

/** Appends what the ledger itself says in a chain, once under each id. */
export function note<C extends EventContract>(
  batch: Batch,
  contract: C,
  about: {
    readonly id: string;
    readonly cause: Envelope;
    readonly acq: string;
    readonly data: DataOf<C>;
  },
): void {
  if (firstOf(batch, about.id) !== undefined) return;
  const head = headOf(batch, about.acq);
  if (head === undefined) return;
  const event = {
    specversion: '1.0',
    id: about.id,
    source: batch.tools.source,
    type: contract.type,
    subject: about.acq,
    time: batch.recordedAt,
    datacontenttype: 'application/json',
    tenant: head.tenant,
    causationid: about.cause.id,
    data: about.data,
  } as unknown as Envelope;
  append(batch, { event, text: canonical(event) }, head);
}
