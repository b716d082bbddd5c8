-- SPDX-License-Identifier: Apache-2.0
-- Made by `npm run generate` from services/ledger/src/db: what the migration job runs. By
-- hand, as a role that may create roles, and then a password for each role that logs in:
--   psql -v ON_ERROR_STOP=1 -d impound -f ledger.sql
--   psql -d impound -c '\password ledger_writer' -c '\password ledger_reader'
-- ledger_owner owns the tables and cannot log in; ledger_writer, as which the ledger connects, may
-- add and read; ledger_reader, for doctor, may read all but the bytes of the entries;
-- ledger_verifier, for auditors, may read all.

begin;
-- The names below are those of this schema, whatever the session searches.
set local search_path = public;
select pg_advisory_xact_lock(1818584167);

do $$ begin
  if not exists (select from pg_roles where rolname = 'ledger_owner') then
    create role ledger_owner;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$ begin
  if not exists (select from pg_roles where rolname = 'ledger_writer') then
    create role ledger_writer;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$ begin
  if not exists (select from pg_roles where rolname = 'ledger_reader') then
    create role ledger_reader;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

do $$ begin
  if not exists (select from pg_roles where rolname = 'ledger_verifier') then
    create role ledger_verifier;
  end if;
exception when duplicate_object or unique_violation then null;
end $$;

-- Who runs this and is no superuser must be a member of the owner to act as it.
grant ledger_owner to current_user;
grant usage, create on schema public to ledger_owner;
set local role ledger_owner;

create table if not exists ledger_schema (
  version integer primary key,
  applied_at timestamptz not null default clock_timestamp()
);
revoke all on ledger_schema from public;
grant select on ledger_schema to ledger_writer, ledger_reader, ledger_verifier;

do $step$ begin
if not exists (select from ledger_schema where version >= 1) then
execute $migration$
-- SPDX-License-Identifier: Apache-2.0
-- The event store. Runs as ledger_owner. Nothing here is ever updated or deleted.

-- One leaf of the log. `entry` holds the bytes that were hashed; every other column is only an
-- index made from them, and a verifier makes it again. Where a leaf is no entry of a chain but the
-- 128 bytes that sigsum keeps of a seal, the seal is the leaf before it, and it has no index.
create table ledger_entry (
  idx bigint not null check (idx >= 0),
  event_id uuid,
  entry bytea not null,
  leaf bytea not null,
  acq uuid,
  acq_seq integer check (acq_seq >= 1),
  tenant text,
  case_id text,
  -- The person or integration that acts, or the process that speaks.
  actor text,
  -- The service in the event's source.
  speaker text,
  -- The event's causationid.
  cause uuid,
  type text,
  -- formatTarget() of the requested target, on the first entry of a chain only.
  target text,
  -- After this entry nobody waits for the chain to go on.
  ends boolean,
  event_at timestamptz,
  recorded_at timestamptz,
  constraint ledger_entry_pkey primary key (idx),
  constraint ledger_entry_event_id_key unique (event_id),
  constraint ledger_entry_acq_key unique (acq, acq_seq),
  constraint ledger_entry_leaf_check check (leaf = sha256('\x00'::bytea || entry)),
  constraint ledger_entry_bytes_check check (octet_length(entry) <= 65535),
  constraint ledger_entry_whole_check check (
    num_nulls(event_id, acq, acq_seq, tenant, case_id, actor, speaker, type, ends, event_at,
      recorded_at) = 0
    or (octet_length(entry) = 128 and num_nonnulls(event_id, acq, acq_seq, tenant, case_id, actor,
      speaker, cause, type, target, ends, event_at, recorded_at) = 0)
  )
);
-- Entries are incompressible enough, and short: reading a chain should not cost a decompression.
alter table ledger_entry alter column entry set storage external;

-- A chain ends once.
create unique index ledger_entry_end on ledger_entry (acq) where ends;
create index ledger_entry_begin on ledger_entry (idx) where acq_seq = 1;
create index ledger_entry_tenant on ledger_entry (tenant, idx) where acq_seq = 1;
create index ledger_entry_case on ledger_entry (tenant, case_id, idx) where acq_seq = 1;
-- Few entries, and each bracket of time begins with one.
create index ledger_entry_stamped on ledger_entry (idx) where type = 'checkpoint.stamped.v1';
-- A target may be longer than a btree key. (src/db/target.ts has the same words.)
create index ledger_entry_target on ledger_entry (left(target, 512), idx) where acq_seq = 1;

-- What auditors ask for and what is seldom. The steps that every acquisition takes are found by
-- reading on, for there are some among any few entries: an index of them would cost every append
-- more than all of these. (src/db/audit-ways.ts has the same words.)
create index ledger_entry_person on ledger_entry (tenant, actor, idx) where actor not like '/%';
create index ledger_entry_seldom on ledger_entry (tenant, type, idx) where type not in (
  'acquisition.requested.v1', 'target.resolved.v1', 'access.checked.v1', 'context.captured.v1',
  'acquisition.assigned.v1', 'execution.started.v1', 'context.stored.v1', 'evidence.captured.v1',
  'evidence.stored.v1', 'acquisition.sealed.v1', 'callback.delivered.v1');
-- Recorded long before or after the time that its speaker gave. All others are found by when they
-- were recorded, which never goes back from one entry to the next.
create index ledger_entry_skewed on ledger_entry (tenant, idx)
  where event_at - recorded_at not between interval '-10 minutes' and interval '10 minutes';

-- Full tiles of the Merkle tree over the leaves: 256 hashes of one level, inserted once, in the
-- transaction that filled them. What lies beside full tiles follows from the rows themselves: the
-- leaves of the last entries on level 0, the roots of the last tiles below on each other level.
create table ledger_tile (
  level smallint not null check (level >= 0),
  n bigint not null check (n >= 0),
  hashes bytea not null,
  root bytea not null,
  constraint ledger_tile_pkey primary key (level, n),
  constraint ledger_tile_bytes_check check (octet_length(hashes) = 8192 and octet_length(root) = 32)
);
alter table ledger_tile alter column hashes set storage external;

-- The log advances only by a row here: the one that follows size_before. A second successor of the
-- same size violates the unique key, so the log cannot fork, whoever believes to be the sequencer.
create table ledger_batch (
  size_after bigint not null,
  size_before bigint,
  -- The Merkle tree hash of all leaves so far.
  root bytea not null,
  -- The roots of the full subtrees that they fall into, the largest first: as many as size_after
  -- has ones.
  edge bytea not null,
  -- Counts the processes that have held the pen.
  writer_epoch bigint not null,
  committed_at timestamptz not null default clock_timestamp(),
  constraint ledger_batch_pkey primary key (size_after),
  constraint ledger_batch_size_before_key unique (size_before),
  constraint ledger_batch_size_before_fkey
    foreign key (size_before) references ledger_batch (size_after),
  constraint ledger_batch_grows_check check (
    (size_after = 0 and size_before is null)
    or (size_before is not null and size_before >= 0 and size_after > size_before)
  ),
  constraint ledger_batch_tree_check check (
    octet_length(root) = 32
    and octet_length(edge) = 32 * length(replace(size_after::bit(64)::text, '0', ''))
  )
);
insert into ledger_batch (size_after, size_before, root, edge, writer_epoch)
  values (0, null, sha256(''), '', 0);

-- A size that was published under a head: `own` is the log's own origin, `sigsum` the one that
-- sigsum derives from its key. Both stand over one tree, and only over what is committed.
create table ledger_checkpoint (
  size bigint not null,
  head text not null,
  -- The signed note, with the log's own signatures.
  note text not null,
  signed_at timestamptz not null default clock_timestamp(),
  constraint ledger_checkpoint_pkey primary key (size, head),
  constraint ledger_checkpoint_size_fkey foreign key (size) references ledger_batch (size_after),
  constraint ledger_checkpoint_head_check check (head in ('own', 'sigsum'))
);

-- What a witness has added to a checkpoint: its signature line.
create table ledger_cosignature (
  size bigint not null,
  head text not null,
  -- The key name of the witness.
  witness text not null,
  line text not null,
  -- The time within the signature.
  cosigned_at timestamptz not null,
  constraint ledger_cosignature_pkey primary key (size, head, witness),
  constraint ledger_cosignature_checkpoint_fkey
    foreign key (size, head) references ledger_checkpoint (size, head)
);

-- What an authority of another kind has said of a checkpoint, such as a timestamp token.
create table ledger_anchor (
  size bigint not null,
  head text not null,
  -- rfc3161, or the name of another kind.
  kind text not null,
  authority text not null,
  -- The exact bytes it speaks of: a note of this checkpoint, with the lines it had then.
  note text not null,
  token bytea not null,
  anchored_at timestamptz not null default clock_timestamp(),
  constraint ledger_anchor_pkey primary key (size, head, kind, authority),
  constraint ledger_anchor_checkpoint_fkey
    foreign key (size, head) references ledger_checkpoint (size, head)
);

-- Which keys sign, since which entry, and until which: made from the entries that say so.
create table ledger_key (
  -- checkpoint, sigsum or submitter.
  role text not null,
  public_key bytea not null,
  -- registered or retired.
  change text not null,
  idx bigint not null,
  constraint ledger_key_pkey primary key (idx, role, change),
  constraint ledger_key_idx_fkey foreign key (idx) references ledger_entry (idx),
  constraint ledger_key_role_check check (role in ('checkpoint', 'sigsum', 'submitter')),
  constraint ledger_key_change_check check (change in ('registered', 'retired')),
  constraint ledger_key_bytes_check check (octet_length(public_key) = 32)
);

create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is refused: the ledger only grows', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end
$$;

-- On every table, and ALWAYS: they fire under session_replication_role = replica too.
do $$
declare
  name text;
begin
  foreach name in array array['ledger_entry', 'ledger_tile', 'ledger_batch', 'ledger_checkpoint',
    'ledger_cosignature', 'ledger_anchor', 'ledger_key']
  loop
    execute format('create trigger %I before update or delete on %I
      for each row execute function ledger_refuse_change()', name || '_no_change', name);
    execute format('create trigger %I before truncate on %I
      for each statement execute function ledger_refuse_change()', name || '_no_truncate', name);
    execute format('alter table %I enable always trigger %I', name, name || '_no_change');
    execute format('alter table %I enable always trigger %I', name, name || '_no_truncate');
    execute format('revoke all on %I from public', name);
    execute format('grant select, insert on %I to ledger_writer', name);
    execute format('grant select on %I to ledger_verifier', name);
  end loop;
end
$$;

-- Whoever looks after the database needs no evidence: all but the bytes of the entries.
grant select (idx, event_id, leaf, acq, acq_seq, tenant, case_id, actor, speaker, cause, type,
  target, ends, event_at, recorded_at) on ledger_entry to ledger_reader;
grant select on ledger_tile, ledger_batch, ledger_checkpoint, ledger_cosignature, ledger_anchor,
  ledger_key to ledger_reader;
$migration$;
insert into ledger_schema (version) values (1);
end if;
end $step$;

reset role;
revoke create on schema public from ledger_owner;
grant usage on schema public to ledger_writer, ledger_reader, ledger_verifier;
commit;
