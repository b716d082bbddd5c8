// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import type { ReplyOf } from '@impound/contracts/question.ts';
import type {
  CustodyLog,
  HeadsLog,
  SealLog,
  SignerLog,
  TimeLog,
} from '@impound/evidence/custody-log.ts';
import { parseVkey } from '@impound/transparency/vkey.ts';
import type { Client } from './client.ts';
import { EXIT, Exit } from './exit-code.ts';

type Newest = ReplyOf<typeof LedgerCheckpointV1>;
type Checkpoint = NonNullable<Newest['checkpoint']>;
type Page = ReplyOf<typeof LedgerProofV1>;

const AGAIN_MS = 500;
const TRIES_MAX = 60;
/** Witnesses that do not come are not waited for: verifying tells that they are missing. */
const WITNESS_TRIES_MAX = 20;

/**
 * What the log says of a chain of so many entries, once a checkpoint is over the last of them:
 * the newest that enough witnesses have signed, where they come in time. Throws Exit where none is.
 */
export async function logProofs(
  client: Client,
  of: { readonly acquisitionId: string; readonly entries: number },
  signal: AbortSignal,
): Promise<CustodyLog> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const newest = LedgerCheckpointV1.reply.parse(await client.get('/v1/log'));
    for (const checkpoint of chosenOf(newest, attempt)) {
      const pages = await allPages(client, of, checkpoint);
      if (pages === undefined) continue;
      const log = custodyLog(newest, checkpoint, { ...of, pages });
      const time = await timeLog(client, log, checkpoint.size);
      const signers = await signerLog(client, checkpoint.size);
      const heads = await headsLog(client, of, checkpoint.size);
      return { ...log, signers, ...(time && { time }), ...(heads && { heads }) };
    }
    await delay(AGAIN_MS, undefined, { signal });
  }
  const what = 'no checkpoint of the log came to stand over the last entry of the chain';
  throw new Exit(EXIT.failed, `${what}: look at the log of the ledger, and try again`);
}

/** The newest checkpoint under the log's own name, and the key that signs it. Throws Exit. */
export async function newestOf(client: Client): Promise<{ own: string; key: string }> {
  const { witnessed, checkpoint, keys } = LedgerCheckpointV1.reply.parse(
    await client.get('/v1/log'),
  );
  const { own } = witnessed ?? checkpoint ?? {};
  if (own !== undefined) return { own, key: keys.own };
  throw new Exit(EXIT.failed, 'nothing is signed yet: ask again in a little while');
}

/** What a bag may be made under, the best first. */
function chosenOf({ witnessed, checkpoint }: Newest, attempt: number): readonly Checkpoint[] {
  const known = attempt < WITNESS_TRIES_MAX ? [witnessed] : [witnessed, checkpoint];
  return known.filter((one) => one !== undefined);
}

/** The proofs of all entries, or undefined where the size does not have all of them yet. */
async function allPages(
  client: Client,
  { acquisitionId, entries }: { readonly acquisitionId: string; readonly entries: number },
  { size }: Checkpoint,
): Promise<readonly Page[] | undefined> {
  const pages: Page[] = [];
  for (let after = 0; after < entries; ) {
    const query = new URLSearchParams({ after: String(after), size: String(size) });
    const path = `/v1/acquisitions/${acquisitionId}/proof?${query}`;
    const page = LedgerProofV1.reply.parse(await client.get(path));
    const last = page.entries.at(-1)?.acqSeq;
    if (last === undefined || last <= after) return undefined;
    pages.push(page);
    after = last;
  }
  return pages;
}

function custodyLog(
  { keys, policy }: Newest,
  checkpoint: Checkpoint,
  { pages, entries }: { readonly pages: readonly Page[]; readonly entries: number },
): CustodyLog {
  const sealed = pages.find((page) => page.seal !== undefined)?.seal;
  const seal: SealLog | undefined = sealed && {
    ...proofOf(sealed),
    entry: sealed.acqSeq - 1,
    checkpoint: checkpoint.sigsum,
    key: parseVkey(keys.sigsum),
    leaf: Buffer.from(sealed.leaf, 'base64'),
    submitter: Buffer.from(keys.submitter, 'base64'),
  };
  return {
    checkpoint: checkpoint.own,
    key: parseVkey(keys.own),
    policy,
    // The chain may have grown since it was read.
    proofs: pages.flatMap((page) => page.entries.map(proofOf)).slice(0, entries),
    ...(seal === undefined ? {} : { seal }),
  };
}

/** The tokens of time in front of a chain and behind its seal; what came later has none yet. */
async function timeLog(
  client: Client,
  { proofs, seal }: CustodyLog,
  size: number,
): Promise<TimeLog | undefined> {
  const at = seal?.entry ?? proofs.length - 1;
  const [first, last] = [proofs.at(0)?.index, proofs.at(at)?.index];
  const query = new URLSearchParams({ first: `${first}`, last: `${last}`, size: `${size}` });
  const found = LedgerStampsV1.reply.parse(await client.get(`/v1/log/stamps?${query}`));
  const { after, before, certificates } = found;
  if (after === undefined && before === undefined) return undefined;
  return {
    ...(after && { after: { ...stampOf(after), entry: Buffer.from(after.entry, 'utf8') } }),
    ...(before && { before: { ...stampOf(before), at } }),
    ...(certificates === undefined ? {} : { certificates }),
  };
}

/** The entries that say who signs what they capture and store. */
async function signerLog(client: Client, size: number): Promise<readonly SignerLog[]> {
  const signers: SignerLog[] = [];
  for (;;) {
    const query = new URLSearchParams({ size: `${size}` });
    const last = signers.at(-1);
    if (last !== undefined) query.set('after', `${last.index}`);
    const page = LedgerSignersV1.reply.parse(await client.get(`/v1/log/signers?${query}`));
    const found = page.entries.map((one) => ({ ...proofOf(one), entry: Buffer.from(one.entry) }));
    signers.push(...found);
    if (!page.more || found.length === 0) return signers;
  }
}

/** The newest root over the heads of all chains, and this chain's head in it. */
async function headsLog(
  client: Client,
  { acquisitionId }: { readonly acquisitionId: string },
  size: number,
): Promise<HeadsLog | undefined> {
  const path = `/v1/acquisitions/${acquisitionId}/head?size=${size}`;
  const { rooted, head } = LedgerHeadsV1.reply.parse(await client.get(path));
  if (rooted === undefined) return undefined;
  return {
    ...{ ...proofOf(rooted), entry: Buffer.from(rooted.entry, 'utf8') },
    ...(head && {
      head: {
        ...{ index: BigInt(head.index), acqSeq: BigInt(head.acqSeq) },
        ...{ last: Buffer.from(head.last, 'hex'), path: proofOf(head).path },
      },
    }),
  };
}

function stampOf(stamped: NonNullable<ReplyOf<typeof LedgerStampsV1>['before']>) {
  const { note, token } = stamped;
  return { ...proofOf(stamped), note, token: Buffer.from(token, 'base64') };
}

function proofOf({ index, path }: { readonly index: number; readonly path: readonly string[] }) {
  return { index, path: path.map((hash) => Buffer.from(hash, 'base64')) };
}
