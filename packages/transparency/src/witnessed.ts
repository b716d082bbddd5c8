// SPDX-License-Identifier: Apache-2.0
import { parseNote } from './note.ts';
import type { Policy } from './policy.ts';
import { sigsumWitnessVkey } from './sigsum.ts';

/** A checkpoint under both names of its log, with every signature that it has. */
export interface BothNotes {
  readonly own: string;
  readonly sigsum: string;
}

/**
 * Whether as many witnesses as a policy wants have signed, each under the name of the log that it
 * looks at. Looks at names and key ids only: signatures are verified where they are relied on.
 */
export function isWitnessed(policy: Policy, { own, sigsum }: BothNotes): boolean {
  const lines = { own: linesOf(own), sigsum: linesOf(sigsum) };
  const signed = policy.witnesses.filter(({ key, vkey }) => {
    const known = vkey ?? sigsumWitnessVkey(key);
    const on = vkey === undefined ? lines.sigsum : lines.own;
    return on.some(({ name, id }) => name === known.name && id.equals(known.id));
  });
  return policy.isQuorum(new Set(signed.map(({ name }) => name)));
}

function linesOf(note: string) {
  return parseNote(Buffer.from(note, 'utf8')).signatures;
}
