// SPDX-License-Identifier: Apache-2.0
import type { Note } from '@impound/transparency/note.ts';
import { type PolicyWitness, parsePolicy } from '@impound/transparency/policy.ts';
import { sigsumWitnessVkey } from '@impound/transparency/sigsum.ts';
import { parseVkey, type Vkey } from '@impound/transparency/vkey.ts';

/**
 * The same policy in the form of sigsum, for the log under the key that it has there: addresses are
 * left out, for nobody is to be asked. Throws ProofFault where the policy is none.
 */
function sigsumPolicy(policy: string, key: Uint8Array): string {
  parsePolicy(policy);
  const lines = policy.split('\n').map((line) => line.trim().split(/[ \t]+/));
  const rest = lines.flatMap(([word = '', ...words]) => {
    const [name = '', vkey = ''] = words;
    if (word === 'witness') return [`witness ${name} ${hexOf(vkey)}`];
    return word === 'group' || word === 'quorum' ? [[word, ...words].join(' ')] : [];
  });
  return `${[`log ${Buffer.from(key).toString('hex')}`, ...rest].join('\n')}\n`;
}

/**
 * The policy for the head of sigsum: the whole one where the witnesses have signed there as well,
 * else one that asks for none. A witness that is named with a verifier key may look at one of the
 * two names of a log only.
 */
export function sealPolicy(policy: string, key: Uint8Array, note: Note): string {
  const read = parsePolicy(policy);
  const signed = read.witnesses.filter((witness) => {
    const known = keysOf(witness);
    return note.signatures.some(({ name, id }) =>
      known.some((one) => one.name === name && one.id.equals(id)),
    );
  });
  if (read.isQuorum(new Set(signed.map(({ name }) => name)))) return sigsumPolicy(policy, key);
  return `log ${Buffer.from(key).toString('hex')}\nquorum none\n`;
}

/** Every key under which a witness may have signed a note. */
export function keysOf({ key, vkey }: PolicyWitness): readonly Vkey[] {
  const other = sigsumWitnessVkey(key);
  return vkey === undefined ? [other] : [vkey, other];
}

function hexOf(key: string): string {
  return key.includes('+') ? parseVkey(key).key.toString('hex') : key;
}
