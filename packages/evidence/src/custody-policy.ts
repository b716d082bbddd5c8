// SPDX-License-Identifier: Apache-2.0
import { parsePolicy } from '@impound/transparency/policy.ts';
import { parseVkey } from '@impound/transparency/vkey.ts';

/**
 * The same policy in the form of sigsum, for the log under the key that it has there: addresses are
 * left out, for nobody is to be asked. Throws ProofFault where the policy is none.
 */
export function sigsumPolicy(policy: string, key: Uint8Array): string {
  parsePolicy(policy);
  const lines = policy.split('\n').map((line) => line.trim().split(/[ \t]+/));
  const rest = lines.flatMap(([word = '', ...words]) => {
    const [name = '', vkey = ''] = words;
    if (word === 'witness') return [`witness ${name} ${hexOf(vkey)}`];
    return word === 'group' || word === 'quorum' ? [[word, ...words].join(' ')] : [];
  });
  return `${[`log ${Buffer.from(key).toString('hex')}`, ...rest].join('\n')}\n`;
}

function hexOf(key: string): string {
  return key.includes('+') ? parseVkey(key).key.toString('hex') : key;
}
