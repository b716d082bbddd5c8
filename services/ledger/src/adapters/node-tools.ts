// SPDX-License-Identifier: Apache-2.0
import { hash, randomBytes } from 'node:crypto';
import { timeOf } from '@impound/contracts/time.ts';
import { childId } from '@impound/runtime/ids.ts';
import type { Tools } from '../domain/batch.ts';

const SALT_BYTES = 16;
/** Asking the system for chance costs the same for one salt as for many. */
const SALTS = 256;
/** RFC 6962 section 2.1: what is hashed as a leaf begins with a zero byte. */
const LEAF_PREFIX = '\x00';

/** Hashes, chance and time of this process; `worker` is its name in what the ledger says. */
export function nodeTools(worker: string): Tools {
  return {
    sha256: (text) => hash('sha256', text, 'hex'),
    leafHash: (text) => hash('sha256', LEAF_PREFIX + text, 'hex'),
    childId,
    salt: openSalts(),
    now: () => timeOf(Date.now()),
    source: `/impound/ledger/${worker}`,
  };
}

/** Salts one after the other; each byte of chance is used once. */
function openSalts(): () => string {
  let pool = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === pool.length) {
      pool = randomBytes(SALTS * SALT_BYTES);
      used = 0;
    }
    const salt = pool.toString('base64', used, used + SALT_BYTES);
    used += SALT_BYTES;
    return salt;
  };
}
