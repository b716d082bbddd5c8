// SPDX-License-Identifier: Apache-2.0
// What somebody does who owns the database: a superuser whom nothing holds back any more.
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { canonical } from '@impound/contracts/canonical.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { nodeTools } from '@impound/ledger/adapters/node-tools.ts';
import { append, openBatch } from '@impound/ledger/domain/batch.ts';
import { TRIGGERS } from '@impound/ledger/domain/guards.ts';
import type { Added } from '@impound/ledger/handlers/ports.ts';
import { rootedIn } from '@impound/ledger/handlers/rooting.ts';
import { newId } from '@impound/runtime/ids.ts';
import type { Database } from '@impound/runtime/postgres.ts';
import { formatCheckpoint } from '@impound/transparency/checkpoint.ts';
import { leafHash } from '@impound/transparency/hash.ts';
import { headHash, NO_HEAD } from '@impound/transparency/heads.ts';
import { headSigners, readLogKeys } from '@impound/transparency/log-keys.ts';
import { signNote } from '@impound/transparency/note.ts';
import { EMPTY_TREE, edgeBytes, grow, rootOf } from '@impound/transparency/tree.ts';
import { connect, copied, type Recorded } from './stage.ts';

function triggers(how: 'disable' | 'enable always'): string {
  const of = (trigger: string) => trigger.replace(/_no_(change|truncate)$/, '');
  return TRIGGERS.map((one) => `alter table ${of(one)} ${how} trigger ${one};`).join('');
}

const LEAF_CHECK = `alter table ledger_entry add constraint ledger_entry_leaf_check
  check (leaf = sha256('\\x00'::bytea || entry))`;

/** Takes the guards of a database away, changes what it holds, and puts the guards back. */
export async function tamper(sql: Database, change: string): Promise<void> {
  await sql.unsafe(`${triggers('disable')}
    alter table ledger_entry drop constraint ledger_entry_leaf_check;
    set session_replication_role = replica;
    ${change};
    set session_replication_role = origin;
    do $$ begin
      ${LEAF_CHECK};
    exception when check_violation then
      ${LEAF_CHECK} not valid;
    end $$;
    ${triggers('enable always')}`);
}

/** A copy of the recorded log, changed. */
export async function tampered(scope: AsyncDisposableStack, on: Recorded, change: string) {
  const database = await copied(scope, on.database);
  const sql = connect(scope, database);
  await tamper(sql, change);
  return { database, sql };
}

/** Where a chain of one entry stands that others have seen early on. */
export const LONELY = 20;

/** Another reason than the one that was recorded, in the bytes of an entry. */
function otherReason(entry: Buffer): Buffer {
  return Buffer.from(entry.toString('utf8').replace('"reason":"', '"reason":"not '));
}

/**
 * What somebody does who owns database and keys, and knows how both are made: the roots over the
 * heads of all chains and the chain that they stand in, leaves, tiles, batches and checkpoints
 * follow from the changed entry. Cosignatures are what he cannot make.
 */
export async function rewriteWhole(sql: Database, secret: string, at: number): Promise<void> {
  const rows = await sql`select acq, acq_seq, type, entry, leaf from ledger_entry order by idx`;
  const before = rows.map(({ leaf }) => leaf as Buffer);
  const entries = entriesAnew(rows as unknown as readonly WrittenRow[], at);
  const leaves = entries.map(leafHash);
  const updates = entries.flatMap((entry, idx) => {
    if (before[idx]?.equals(leaves[idx] as Buffer)) return [];
    const bytes = `'\\x${entry.toString('hex')}'`;
    return `update ledger_entry set entry = ${bytes}, leaf = sha256('\\x00'::bytea || ${bytes})
      where idx = ${idx};`;
  });
  await tamper(
    sql,
    `${updates.join('')} delete from ledger_cosignature; delete from ledger_anchor;
    ${tilesAnew(leaves)} ${await batchesAnew(sql, leaves)}
    ${await checkpointsAnew(sql, secret, leaves)}`,
  );
}

interface WrittenRow {
  readonly acq: string | null;
  readonly acq_seq: number;
  readonly type: string;
  readonly entry: Buffer;
  readonly leaf: Buffer;
}

/** The entries as they follow from another reason in one: in the order of the log. */
function entriesAnew(rows: readonly WrittenRow[], at: number): readonly Buffer[] {
  // By chain. A leaf that vouches for a seal belongs to none, and names no entry before it.
  const ends = new Map<string | null, { readonly before: Buffer; readonly now: Buffer }>();
  const entries: Buffer[] = [];
  for (const [idx, { acq, type, entry: was, leaf }] of rows.entries()) {
    let entry = idx === at ? otherReason(was) : was;
    const end = ends.get(acq);
    if (end !== undefined) entry = replaced(entry, 'acqPrev', end.before, end.now);
    if (type === HeadsRootedV1.type) entry = rootedAnew(entry, rows, entries);
    entries.push(entry);
    ends.set(acq, { before: leaf, now: leafHash(entry) });
  }
  return entries;
}

function rootedAnew(
  entry: Buffer,
  rows: readonly WrittenRow[],
  entries: readonly Buffer[],
): Buffer {
  const { size, root } = rootedIn(entry.toString('utf8'));
  const hashes = Array.from({ length: size }, () => NO_HEAD);
  const begun = new Map<string, number>();
  for (const [idx, { acq, acq_seq: acqSeq }] of rows.slice(0, size).entries()) {
    if (acq === null) continue;
    const first = begun.get(acq) ?? idx;
    begun.set(acq, first);
    hashes[first] = headHash({ acq, acqSeq, last: leafHash(entries[idx] as Buffer) });
  }
  return replaced(entry, 'root', Buffer.from(root, 'hex'), rootOf(grow(EMPTY_TREE, hashes).tree));
}

/** The bytes of an entry in which a member is another hash. */
function replaced(entry: Buffer, name: string, before: Buffer, now: Buffer): Buffer {
  const member = (hash: Buffer) => `"${name}":"${hash.toString('hex')}"`;
  return Buffer.from(entry.toString('utf8').replace(member(before), member(now)));
}

function tilesAnew(leaves: readonly Buffer[]): string {
  const tiles = grow(EMPTY_TREE, leaves).tiles.map(
    ({ level, n, hashes, root }) => `update ledger_tile set hashes = '\\x${hashes.toString('hex')}',
      root = '\\x${root.toString('hex')}' where level = ${level} and n = ${n};`,
  );
  return tiles.join('');
}

async function batchesAnew(sql: Database, leaves: readonly Buffer[]): Promise<string> {
  const rows = await sql`select size_after from ledger_batch`;
  const batches = rows.map(({ size_after: size }) => {
    const { tree } = grow(EMPTY_TREE, leaves.slice(0, Number(size)));
    return `update ledger_batch set root = '\\x${rootOf(tree).toString('hex')}',
      edge = '\\x${edgeBytes(tree).toString('hex')}' where size_after = ${size};`;
  });
  return batches.join('');
}

async function checkpointsAnew(
  sql: Database,
  secret: string,
  leaves: readonly Buffer[],
): Promise<string> {
  const heads = headSigners(readLogKeys(secret));
  const rows = await sql`select size, head from ledger_checkpoint`;
  const notes = rows.map(async ({ size, head }) => {
    const signer = heads[head as keyof typeof heads];
    const { tree } = grow(EMPTY_TREE, leaves.slice(0, Number(size)));
    const root = rootOf(tree);
    const text = formatCheckpoint({ origin: signer.vkey.name, size: BigInt(size), root });
    const note = await signNote(text, [signer]);
    return `update ledger_checkpoint set note = '${note}' where size = ${size} and head = '${head}';`;
  });
  return (await Promise.all(notes)).join('');
}

/** What is left where the newest leaves, and all that was said about them, are gone. */
export function cutOff(size: number): string {
  return `delete from ledger_cosignature where size > ${size};
    delete from ledger_anchor where size > ${size};
    delete from ledger_checkpoint where size > ${size};
    delete from ledger_batch where size_after > ${size};
    delete from ledger_entry where idx >= ${size};
    delete from ledger_tile where (n + 1) * 256 ^ (level + 1) > ${size}`;
}

/** What a writer commits at a size: a chain that begins, as a request would begin it. */
export function added(size: number): Added {
  const batch = openBatch(size, { firsts: new Map(), heads: new Map() }, nodeTools('w-1'));
  const event = {
    ...{ specversion: '1.0', id: newId(), source: '/impound/gateway/gateway-1', subject: newId() },
    ...{ type: AcquisitionRequestedV1.type, time: batch.recordedAt, tenant: 'default' },
    ...{ datacontenttype: 'application/json', data: AcquisitionRequestedV1.example },
  } as unknown as Envelope;
  append(batch, { event, text: canonical(event) });
  return { drafts: batch.drafts, leaves: [] };
}
