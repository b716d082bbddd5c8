// SPDX-License-Identifier: Apache-2.0
import type * as z from 'zod';
import { canonical } from '../src/canonical.ts';
import { Entry, entryText, NO_PREVIOUS } from '../src/entry.ts';
import { Progress } from '../src/progress.ts';
import { SayReply } from '../src/say.ts';
import { events, questions } from './contracts.ts';
import { specimensOf } from './specimens.ts';

/** One kind of message that processes of several releases send to each other. */
export interface MessageKind {
  /** Also the name of its schema. */
  readonly name: string;
  readonly shape: z.ZodType;
  readonly examples: readonly unknown[];
  /** True for events: what is sent is an entry of the ledger, and the shape is that of its data. */
  readonly recorded: boolean;
}

const ACQUISITION = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const AT = '2026-11-23T09:15:00.000000Z';

const PROGRESS: z.input<typeof Progress> = {
  tenant: 'default',
  acquisitionId: ACQUISITION,
  epoch: 1,
  worker: 'k8s-1-7f3a',
  at: AT,
  phase: 'file',
  files: 12,
  bytes: 345_678,
};

const SAY_REPLIES: readonly z.input<typeof SayReply>[] = [
  { ok: true, seq: 7, version: 3, entryHash: 'a'.repeat(64), repeated: false, differs: false },
  { ok: false, refusal: 'conflict', because: 'the chain is at version 4', version: 4 },
];

/** Every kind of message there is. */
export async function messageKinds(): Promise<readonly MessageKind[]> {
  const said = (await events()).map(({ contract: { type, shape, example } }) => ({
    ...{ name: type, shape, examples: [example], recorded: true },
  }));
  const asked = (await questions()).flatMap(({ contract }) =>
    (['request', 'reply'] as const).map((side) => ({
      name: `${contract.name}.${side}`,
      shape: contract[side],
      examples: [contract.example[side]],
      recorded: false,
    })),
  );
  const others = [
    { name: 'progress', shape: Progress, examples: [PROGRESS], recorded: false },
    { name: 'say-reply', shape: SayReply, examples: SAY_REPLIES, recorded: false },
  ];
  return [...said, ...asked, ...others];
}

/** The exact bytes of several messages of a kind, as they go over the wire. */
export function wireTexts(kind: MessageKind): readonly string[] {
  const specimens = kind.examples.flatMap((example) => specimensOf(kind.shape, example));
  if (!kind.recorded) return specimens.map((one) => JSON.stringify(one));
  return specimens.map((data) => entryOf({ type: kind.name, data }, 1, NO_PREVIOUS));
}

/** An entry as the ledger would tell it; the same bytes every time. */
export function entryOf(
  { type, data }: { readonly type: string; readonly data: unknown },
  acqSeq: number,
  acqPrev: string,
): string {
  const event = {
    specversion: '1.0',
    id: `0199f5a2-7c3e-7a10-8f52-${acqSeq.toString(16).padStart(12, '0')}`,
    source: '/impound/specimen/specimen-1',
    type,
    subject: ACQUISITION,
    time: AT,
    datacontenttype: 'application/json',
    tenant: 'default',
    data,
  };
  const salt = Buffer.alloc(16, acqSeq).toString('base64');
  const head = { acq: ACQUISITION, acqSeq, acqPrev, recordedAt: AT, salt };
  return entryText(head, canonical(event));
}

/** What a process of this release understands of a message. Throws where it cannot be read. */
export function meaningOf(kind: MessageKind, text: string): unknown {
  const value: unknown = JSON.parse(text);
  return kind.shape.parse(kind.recorded ? Entry.parse(value).event.data : value);
}
