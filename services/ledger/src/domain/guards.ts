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
  /** Names of the constraints that are there and validated. */
  readonly constraints: readonly string[];
  /** fsync, synchronous_commit, full_page_writes. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The tables that only grow. */
export const TABLES = ['ledger_entry', 'ledger_batch'] as const;
const NEEDED = ['INSERT', 'SELECT'];
/** All but these are too much. */
export const RIGHTS = [...NEEDED, 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER'] as const;
const TRIGGERS = TABLES.flatMap((table) => [`${table}_no_change`, `${table}_no_truncate`]);
const CONSTRAINTS = [
  'ledger_entry_pkey',
  'ledger_entry_event_id_key',
  'ledger_entry_acq_key',
  'ledger_entry_leaf_check',
  'ledger_entry_bytes_check',
  'ledger_batch_pkey',
  'ledger_batch_size_before_key',
  'ledger_batch_size_before_fkey',
];

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
      ? `trigger ${name} is not ENABLE ALWAYS: find out who changed it, and enable it`
      : `trigger ${name} is missing: find out who dropped it, and restore it from the migration`,
  );
  const constraints = CONSTRAINTS.filter((name) => !guards.constraints.includes(name)).map(
    (name) => `constraint ${name} is missing: find out who dropped it, and restore it`,
  );
  return [...triggers, ...constraints];
}

function settingFaults(guards: Guards): string[] {
  return ['fsync', 'synchronous_commit', 'full_page_writes']
    .filter((name) => (guards.settings[name] ?? 'off') === 'off')
    .map((name) => `setting ${name} is off: what is answered would not be on disk, turn it on`);
}
