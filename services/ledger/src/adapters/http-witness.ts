// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { Later, messageOf, Never } from '@impound/runtime/fault.ts';
import { type Checkpoint, openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { fromDecimal } from '@impound/transparency/decimal.ts';
import { NOTE_BYTES_MAX, parseNote, verifyNote } from '@impound/transparency/note.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import type { Head } from '../handlers/checkpointing.ts';
import type { Memory } from '../handlers/outside.ts';
import type { Witness, Witnessed } from '../handlers/witnessing.ts';

const ATTEMPT_MS_MAX = 10_000;
const AGAIN_MS = 1_000;

/** A witness (C2SP tlog-witness): where it is, its key, and the log that it is shown. */
export interface WitnessAt {
  readonly url: string;
  readonly vkey: Vkey;
  readonly head: Head;
  /** Every key that the log has had under this head; all have its name. */
  readonly logs: readonly [Vkey, ...Vkey[]];
}

/** Shows a checkpoint to a witness over HTTP, and asks it what it holds. */
export function httpWitness({ url, vkey, head, logs }: WitnessAt): Witness & Memory {
  const prefix = url.replace(/\/$/, '');
  const { name } = vkey;
  return {
    name,
    head,
    show: async ({ old, path, note }, signal) => {
      const lines = path.map((hash) => `${hash.toString('base64')}\n`).join('');
      const init = { method: 'POST', body: `old ${old}\n${lines}\n${note}` };
      const answer = await asked(name, `${prefix}/add-checkpoint`, init, signal);
      return answerOf(answer, { vkey, note });
    },
    remembered: async (signal) => {
      const origin = createHash('sha256').update(logs[0].name).digest('hex');
      const answer = await asked(name, `${prefix}/${origin}/checkpoint`, {}, signal);
      // Reading is optional for a witness: where it cannot, the first answer to a write tells.
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw away(name, answer);
      return cosigned(answer.text, { vkey, logs });
    },
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function asked(
  name: string,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Answer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS_MAX)]);
  try {
    const answer = await fetch(url, { ...init, redirect: 'error', signal: limit });
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of answer.body ?? []) {
      bytes += part.length;
      if (bytes > NOTE_BYTES_MAX) throw new Error('its answer is too long');
      parts.push(part);
    }
    return { status: answer.status, text: Buffer.concat(parts).toString('utf8') };
  } catch (cause) {
    signal.throwIfAborted();
    throw new Later('witness-away', AGAIN_MS, `${name}: ${messageOf(cause)}`, { cause });
  }
}

function away(name: string, { status, text }: Answer): Later {
  const said = text
    .slice(0, 200)
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trim();
  return new Later('witness-refuses', AGAIN_MS, `${name} answers ${status}: ${said}`);
}

function answerOf(answer: Answer, { vkey, note }: { vkey: Vkey; note: string }): Witnessed {
  const { status, text } = answer;
  if (status === 422) return 'inconsistent';
  if (status === 409) {
    const size = text.endsWith('\n') ? fromDecimal(text.slice(0, -1)) : undefined;
    if (size === undefined || size > BigInt(Number.MAX_SAFE_INTEGER)) throw away(vkey.name, answer);
    return { holds: Number(size) };
  }
  if (status !== 200) throw away(vkey.name, answer);
  return lineOf(text, { vkey, note });
}

/** Of all the lines that it gives, its own, verified over the note that it was shown. */
function lineOf(text: string, { vkey, note }: { vkey: Vkey; note: string }): Witnessed {
  const whole = parseNote(Buffer.from(note + text, 'utf8'));
  const [verified] = verifyNote(whole, [vkey]);
  const line = text
    .split('\n')
    .find((one) => one.split(' ')[1] === vkey.name && idIn(one).equals(vkey.id));
  if (verified?.time === undefined || line === undefined) {
    throw new Never('witness-unsigned', `${vkey.name} answers without a cosignature of its key`);
  }
  return { line: `${line}\n`, at: new Date(Number(verified.time) * 1_000) };
}

function idIn(line: string): Buffer {
  return Buffer.from(line.split(' ')[2] ?? '', 'base64').subarray(0, 4);
}

function cosigned(text: string, { vkey, logs }: Pick<WitnessAt, 'vkey' | 'logs'>): Checkpoint {
  const { verified, ...checkpoint } = openCheckpoint(Buffer.from(text, 'utf8'), [...logs, vkey]);
  const [{ name }] = logs;
  if (checkpoint.origin === name && verified.some(({ key }) => key === vkey)) return checkpoint;
  throw new Never('witness-unsigned', `${vkey.name} shows a checkpoint that it has not cosigned`);
}
