-- SPDX-License-Identifier: Apache-2.0
-- Made by `npm run generate` from services/ledger/src/db: what the migration job runs. By
-- hand, as a role that may create roles, and then a password for each role that logs in:
--   psql -v ON_ERROR_STOP=1 -d impound -f ledger.sql
--   psql -d impound -c '\password ledger_writer' -c '\password ledger_reader'
-- ledger_owner owns the tables and cannot log in; ledger_writer, as which the ledger connects, may
-- add and read; ledger_reader, for doctor and auditors, may read.

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

-- Who runs this and is no superuser must be a member of the owner to act as it.
grant ledger_owner to current_user;
grant usage, create on schema public to ledger_owner;
set local role ledger_owner;

create table if not exists ledger_schema (
  version integer primary key,
  applied_at timestamptz not null default clock_timestamp()
);
revoke all on ledger_schema from public;
grant select on ledger_schema to ledger_writer, ledger_reader;

do $step$ begin
if not exists (select from ledger_schema where version >= 1) then
execute $migration$
-- SPDX-License-Identifier: Apache-2.0
-- The event store. Runs as ledger_owner. Nothing here is ever updated or deleted.

-- One entry of the log. `entry` holds the bytes that were hashed; every other column is only an
-- index made from them, and a verifier makes it again.
create table ledger_entry (
  idx bigint not null check (idx >= 0),
  event_id uuid not null,
  entry bytea not null,
  leaf bytea not null,
  acq uuid not null,
  acq_seq integer not null check (acq_seq >= 1),
  tenant text not null,
  case_id text not null,
  -- The person or integration that acts, or the process that speaks.
  actor text not null,
  -- The service in the event's source.
  speaker text not null,
  -- The event's causationid.
  cause uuid,
  type text not null,
  -- formatTarget() of the requested target, on the first entry of a chain only.
  target text,
  ends boolean not null,
  event_at timestamptz not null,
  recorded_at timestamptz not null,
  constraint ledger_entry_pkey primary key (idx),
  constraint ledger_entry_event_id_key unique (event_id),
  constraint ledger_entry_acq_key unique (acq, acq_seq),
  constraint ledger_entry_leaf_check check (leaf = sha256('\x00'::bytea || entry)),
  constraint ledger_entry_bytes_check check (octet_length(entry) <= 65535)
);
-- Entries are incompressible enough, and short: reading a chain should not cost a decompression.
alter table ledger_entry alter column entry set storage external;

-- A chain ends once.
create unique index ledger_entry_end on ledger_entry (acq) where ends;
create index ledger_entry_begin on ledger_entry (idx) where acq_seq = 1;
create index ledger_entry_tenant on ledger_entry (tenant, idx) where acq_seq = 1;
create index ledger_entry_case on ledger_entry (tenant, case_id, idx) where acq_seq = 1;
-- Hash, because a target may be longer than a btree key.
create index ledger_entry_target on ledger_entry using hash (target) where acq_seq = 1;

-- The log advances only by a row here: the one that follows size_before. A second successor of the
-- same size violates the unique key, so the log cannot fork, whoever believes to be the sequencer.
create table ledger_batch (
  size_after bigint not null,
  size_before bigint,
  committed_at timestamptz not null default clock_timestamp(),
  constraint ledger_batch_pkey primary key (size_after),
  constraint ledger_batch_size_before_key unique (size_before),
  constraint ledger_batch_size_before_fkey
    foreign key (size_before) references ledger_batch (size_after),
  constraint ledger_batch_grows_check check (
    (size_after = 0 and size_before is null)
    or (size_before is not null and size_before >= 0 and size_after > size_before)
  )
);
insert into ledger_batch (size_after, size_before) values (0, null);

create function ledger_refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is refused: the ledger only grows', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end
$$;

create trigger ledger_entry_no_change before update or delete on ledger_entry
  for each row execute function ledger_refuse_change();
create trigger ledger_entry_no_truncate before truncate on ledger_entry
  for each statement execute function ledger_refuse_change();
create trigger ledger_batch_no_change before update or delete on ledger_batch
  for each row execute function ledger_refuse_change();
create trigger ledger_batch_no_truncate before truncate on ledger_batch
  for each statement execute function ledger_refuse_change();

-- ALWAYS: they fire under session_replication_role = replica too.
alter table ledger_entry enable always trigger ledger_entry_no_change;
alter table ledger_entry enable always trigger ledger_entry_no_truncate;
alter table ledger_batch enable always trigger ledger_batch_no_change;
alter table ledger_batch enable always trigger ledger_batch_no_truncate;

revoke all on ledger_entry, ledger_batch from public;
grant select, insert on ledger_entry, ledger_batch to ledger_writer;
grant select on ledger_entry, ledger_batch to ledger_reader;
$migration$;
insert into ledger_schema (version) values (1);
end if;
end $step$;

reset role;
revoke create on schema public from ledger_owner;
grant usage on schema public to ledger_writer, ledger_reader;
commit;
