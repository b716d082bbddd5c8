// SPDX-License-Identifier: Apache-2.0
import { cosignedMessage, writeCosignature } from '@impound/transparency/cosignature.ts';
import { type NoteSigner, signatureLine } from '@impound/transparency/note.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import { type Accepted, judge, type Refused } from './judge.ts';
import type { State } from './state-file.ts';

/** What a witness is made of. */
export interface Cosigner {
  readonly logs: readonly Vkey[];
  readonly signer: NoteSigner;
  readonly state: State;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** The answer to one request. */
export type Answer = Refused | { readonly status: 200; readonly line: string };

/** Cosigns checkpoints, one after the other: what was seen is looked at and written in one step. */
export function cosigning(cosigner: Cosigner): (body: Buffer) => Promise<Answer> {
  const { logs, state } = cosigner;
  let last: Promise<unknown> = Promise.resolve();
  const answer = async (body: Buffer): Promise<Answer> => {
    const judged = judge(body, { logs, seen: (origin) => state.of(origin) });
    return judged.status === 200 ? cosign(cosigner, judged) : judged;
  };
  return (body) => {
    const answered = last.then(() => answer(body));
    last = answered.catch(() => undefined);
    return answered;
  };
}

/** The memory is on disk before the signature leaves: a crash in between cosigns again. */
async function cosign({ signer, state, now }: Cosigner, accepted: Accepted): Promise<Answer> {
  const { note, checkpoint, verified } = accepted;
  const time = BigInt(now());
  const signed = await signer.sign(cosignedMessage(time, note.text));
  const line = signatureLine(signer.vkey, writeCosignature(time, signed));
  const own = new Set(verified.map(({ key }) => key.id.toString('hex')));
  const lines = note.signatures
    .filter(({ name, id }) => name === checkpoint.origin && own.has(id.toString('hex')))
    .map((one) => signatureLine(one, one.signature));
  const whole = `${note.text}\n${lines.join('')}${line}`;
  const { size, root } = checkpoint;
  await state.remember(checkpoint.origin, { size, root, note: whole });
  return { status: 200, line };
}
