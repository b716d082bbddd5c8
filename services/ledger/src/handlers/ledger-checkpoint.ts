// SPDX-License-Identifier: Apache-2.0
import type { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import type { ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import { headSigners, type LogSigners } from '@impound/transparency/log-keys.ts';
import type { Policy } from '@impound/transparency/policy.ts';
import { formatVkey } from '@impound/transparency/vkey.ts';
import type { ProofBook, PublicKeys, SignedSize } from './proof-ports.ts';

/** Answers with the newest checkpoint, the newest that is witnessed, and what verifies them. */
export async function ledgerCheckpoint(
  _: RequestOf<typeof LedgerCheckpointV1>,
  deps: {
    readonly proofs: Pick<ProofBook, 'signed' | 'witnessed'>;
    readonly publicKeys: PublicKeys;
  },
): Promise<ReplyOf<typeof LedgerCheckpointV1>> {
  const { policy, submitter, own, sigsum } = deps.publicKeys;
  const witnessed = await deps.proofs.witnessed();
  // Read after the other, it is not the older one.
  const signed = await deps.proofs.signed();
  return {
    ...(signed && { checkpoint: noteOf(signed) }),
    ...(signed && witnessed && { witnessed: witnessedOf(witnessed, signed) }),
    keys: { own, sigsum, submitter: submitter.toString('base64') },
    policy,
  };
}

function noteOf({ size, own, sigsum }: SignedSize) {
  return { size, own, sigsum };
}

function witnessedOf(witnessed: SignedSize, newest: SignedSize) {
  return { ...noteOf(witnessed), behindMs: Math.max(0, newest.atMs - witnessed.atMs) };
}

/** What anybody may know: the keys, and the policy with the log in it; no witness where none is. */
export function publicKeysOf(keys: LogSigners, policy: Policy | undefined): PublicKeys {
  const { own, sigsum } = headSigners(keys);
  const named = policy?.logs.some(({ vkey }) => vkey.key.equals(own.vkey.key)) ?? false;
  const log = named ? '' : `log ${formatVkey(own.vkey)}\n`;
  return {
    own: formatVkey(own.vkey),
    sigsum: formatVkey(sigsum.vkey),
    submitter: keys.submitter.publicKey,
    policy: log + (policy?.text ?? 'quorum none\n'),
  };
}
