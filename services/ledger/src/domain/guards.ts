// SPDX-License-Identifier: Apache-2.0

/** The form of the tables that this version of the ledger knows: its newest migration. */
export const SCHEMA_VERSION = 1;

/** What the database says about its own guards. */
export interface Guards {
  /** Undefined: there are no tables of the ledger. */
  readonly schemaVersion: number | undefined;
  readonly role: string;
  /** Rights of the role on the ledger's tables, as `TABLE RIGHT`. */
  readonly rights: readonly string[];
  readonly isSuperuser: boolean;
  readonly ownsLedger: boolean;
  /** Triggers of the right kind, as `name enabled`; enabled is pg_trigger.tgenabled. */
  readonly triggers: readonly string[];
  /** The constraints that are there and validated: what each says, by its name. */
  readonly constraints: Readonly<Record<string, string>>;
  /** The body of the function that the triggers call. */
  readonly refusal: string;
  /** fsync, synchronous_commit, full_page_writes. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The tables that only grow. */
export const TABLES = [
  'ledger_entry',
  'ledger_tile',
  'ledger_batch',
  'ledger_checkpoint',
  'ledger_cosignature',
  'ledger_anchor',
  'ledger_key',
] as const;
const NEEDED = ['INSERT', 'SELECT'];
/** All but these are too much. */
export const RIGHTS = [...NEEDED, 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'] as const;
/** A trigger against each way to change each. */
export const TRIGGERS = TABLES.flatMap((table) => [`${table}_no_change`, `${table}_no_truncate`]);
/** Each table's constraints, by their names without the table's. */
const CONSTRAINTS_OF: Readonly<Record<(typeof TABLES)[number], readonly string[]>> = {
  ledger_entry: ['pkey', 'event_id_key', 'acq_key', 'leaf_check', 'bytes_check', 'whole_check'],
  ledger_tile: ['pkey', 'bytes_check'],
  ledger_batch: ['pkey', 'size_before_key', 'size_before_fkey', 'grows_check', 'tree_check'],
  ledger_checkpoint: ['pkey', 'size_fkey', 'head_check'],
  ledger_cosignature: ['pkey', 'checkpoint_fkey'],
  ledger_anchor: ['pkey', 'checkpoint_fkey'],
  ledger_key: ['pkey', 'idx_fkey', 'role_check', 'change_check', 'bytes_check'],
};
/** What keeps the rows sound, and the log from forking. */
export const CONSTRAINTS = TABLES.flatMap((table) =>
  CONSTRAINTS_OF[table].map((name) => `${table}_${name}`),
);

/** What pg_get_constraintdef() tells of those that keep the log from forking and from lying. */
export const WORDS: Readonly<Record<string, string>> = {
  ledger_entry_pkey: 'PRIMARY KEY (idx)',
  ledger_entry_event_id_key: 'UNIQUE (event_id)',
  ledger_entry_acq_key: 'UNIQUE (acq, acq_seq)',
  ledger_entry_leaf_check: "CHECK ((leaf = sha256(('\\x00'::bytea || entry))))",
  ledger_tile_pkey: 'PRIMARY KEY (level, n)',
  ledger_batch_pkey: 'PRIMARY KEY (size_after)',
  ledger_batch_size_before_key: 'UNIQUE (size_before)',
};

/** The body of ledger_refuse_change(). */
export const REFUSAL = `
begin
  raise exception '% on % is refused: the ledger only grows', tg_op, tg_table_name
    using errcode = 'restrict_violation';
end`;

/** Every reason not to write into this database, each with what to do; none: it is guarded. */
export function guardFaults(guards: Guards): readonly string[] {
  const { schemaVersion } = guards;
  if (schemaVersion === undefined) return ['it has no ledger: run the migration first'];
  if (schemaVersion !== SCHEMA_VERSION) {
    const newer = schemaVersion > SCHEMA_VERSION ? 'a newer ledger' : 'the migration';
    return [`its schema is version ${schemaVersion}, not ${SCHEMA_VERSION}: run ${newer}`];
  }
  return [...roleFaults(guards), ...tableFaults(guards), ...settingFaults(guards)];
}

function roleFaults(guards: Guards): string[] {
  const { role, rights } = guards;
  const instead = 'connect as ledger_writer';
  if (guards.isSuperuser) return [`role ${role} is a superuser: ${instead}`];
  if (guards.ownsLedger) return [`role ${role} acts for the owner of the tables: ${instead}`];
  const missing = TABLES.flatMap((table) => NEEDED.map((right) => `${table} ${right}`));
  return [
    ...rights
      .filter((right) => !missing.includes(right))
      .map((right) => `role ${role} holds ${right}: revoke it, INSERT and SELECT are enough`),
    ...missing
      .filter((right) => !rights.includes(right))
      .map((right) => `role ${role} lacks ${right}: grant it, or ${instead}`),
  ];
}

function tableFaults(guards: Guards): string[] {
  const enabled = new Map(guards.triggers.map((one) => one.split(' ') as [string, string]));
  const triggers = TRIGGERS.filter((name) => enabled.get(name) !== 'A').map((name) =>
    enabled.has(name)
      ? `trigger ${name} is not ENABLE ALWAYS: find out who changed it, and enable it always`
      : `trigger ${name} is missing: find out who dropped it, and restore it from the migration`,
  );
  const constraints = CONSTRAINTS.filter((name) => guards.constraints[name] === undefined).map(
    (name) => `constraint ${name} is missing: find out who dropped it, and restore it`,
  );
  return [...triggers, ...constraints, ...wordFaults(guards)];
}

/** What keeps its name and says something else protects nothing. */
function wordFaults({ constraints, refusal }: Guards): string[] {
  const changed = Object.entries(WORDS).filter(([name, words]) => {
    const found = constraints[name];
    return found !== undefined && found !== words;
  });
  const faults = changed.map(
    ([name]) => `constraint ${name} says ${constraints[name]}: find out who changed it`,
  );
  if (spaced(refusal) === spaced(REFUSAL)) return faults;
  return [...faults, 'the function ledger_refuse_change is another: find out who changed it'];
}

function spaced(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function settingFaults(guards: Guards): string[] {
  return ['fsync', 'synchronous_commit', 'full_page_writes']
    .filter((name) => (guards.settings[name] ?? 'off') === 'off')
    .map((name) => `setting ${name} is off: what is answered would not be on disk, turn it on`);
}
