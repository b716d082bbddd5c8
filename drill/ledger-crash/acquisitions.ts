// SPDX-License-Identifier: Apache-2.0
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import { TargetMissingV1 } from '@impound/contracts/target/missing.v1.ts';
import { newId } from '@impound/runtime/ids.ts';
import { type Speaker, type Speech, speechOf } from './speaker.ts';

const requested = AcquisitionRequestedV1.shape.parse(AcquisitionRequestedV1.example);
const missing = TargetMissingV1.shape.parse(TargetMissingV1.example);
const sealed = AcquisitionSealedV1.shape.parse(AcquisitionSealedV1.example);

/** Says some acquisitions side by side from the request to the seal; gives all that was said. */
export async function sayAcquisitions(
  speaker: Speaker,
  count: number,
  signal: AbortSignal,
): Promise<readonly Speech[]> {
  const chains = Array.from({ length: count }, () => sayOne(speaker, signal));
  return (await Promise.all(chains)).flat();
}

/** Leaves that one acquisition adds: its entries, and what sigsum keeps of its seal. */
export const LEAVES_EACH = 4;

async function sayOne(speaker: Speaker, signal: AbortSignal): Promise<readonly Speech[]> {
  const acq = newId();
  const said: Speech[] = [];
  const say = async (speech: Speech): Promise<SayReply & { readonly ok: true }> => {
    said.push(speech);
    const reply = await speaker.say(speech, signal);
    if (!reply.ok) throw new Error(`${speech.subject} was refused: ${reply.because}`);
    return reply;
  };
  await say(speechOf('gateway', AcquisitionRequestedV1, { acq, data: requested }));
  const follows = { acq, data: missing, expectedVersion: 1 };
  const last = await say(speechOf('discovery', TargetMissingV1, follows));
  const data = { ...sealed, entries: last.version, lastEntry: last.entryHash };
  const ends = { acq, data: AcquisitionSealedV1.shape.parse(data), expectedVersion: last.version };
  await say(speechOf('coordinator', AcquisitionSealedV1, ends));
  return said;
}
