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
