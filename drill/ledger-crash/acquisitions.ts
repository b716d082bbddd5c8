// SPDX-License-Identifier: Apache-2.0
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import { ContextCapturedV1 } from '@impound/contracts/context/captured.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { StatementSigner } from '@impound/runtime/statement.ts';
import { SIGNER } from './signers.ts';
import { type About, type Speech, signedSpeechOf, speechOf } from './speaker.ts';
import type { Stand } from './stand.ts';

const requested = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
const captured = ContextCapturedV1.shape.parse(ContextCapturedV1.example);
const sealed = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);

/** Says some acquisitions side by side from the request to the seal; gives all that was said. */
export async function sayAcquisitions(
  stand: Stand,
  count: number,
  signal: AbortSignal,
): Promise<readonly Speech[]> {
  const signer = await stand.signers.now();
  const chains = Array.from({ length: count }, () => sayOne(stand, signer, signal));
  return (await Promise.all(chains)).flat();
}

/** Events of one acquisition, and the leaves it adds: what sigsum keeps of its seal is one more. */
const EVENTS_EACH = 3;
export const LEAVES_EACH = EVENTS_EACH + 1;

/** How many of so many events of whole acquisitions are to be signed: one of each. */
export function signedAmong(events: number): number {
  return events / EVENTS_EACH;
}

async function sayOne(
  { speaker }: Stand,
  signer: StatementSigner,
  signal: AbortSignal,
): Promise<readonly Speech[]> {
  const acq = newId();
  const said: Speech[] = [];
  const say = async (speech: Speech): Promise<SayReply & { readonly ok: true }> => {
    said.push(speech);
    const reply = await speaker.say(speech, signal);
    if (!reply.ok) throw new Error(`${speech.subject} was refused: ${reply.because}`);
    return reply;
  };
  const order = speechOf('gateway', AcquisitionRequestedV1, { acq, data: requested });
  const { entryHash } = await say(order);
  const follows = capturedIn(acq, { id: order.id, entryHash });
  const last = await say(
    await signedSpeechOf(SIGNER, ContextCapturedV1, follows, { signer, signal }),
  );
  const data = { ...sealed, entries: last.version, lastEntry: last.entryHash };
  const ends = { acq, data: AcquisitionSealedV1.shape.parse(data), expectedVersion: last.version };
  await say(speechOf('coordinator', AcquisitionSealedV1, ends));
  return said;
}

function capturedIn(
  acq: string,
  cause: { readonly id: string; readonly entryHash: string },
): About<typeof ContextCapturedV1> {
  return { acq, data: captured, expectedVersion: 1, cause };
}

/** What nobody has signed and somebody must have. */
export function unsignedSpeech(): Speech {
  const cause = { id: newId(), entryHash: '0'.repeat(64) };
  return speechOf(SIGNER, ContextCapturedV1, capturedIn(newId(), cause));
}
