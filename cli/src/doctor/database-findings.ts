// SPDX-License-Identifier: Apache-2.0
import { guardFaults } from '@impound/ledger/domain/guards.ts';
import { clockFinding } from './clock.ts';
import type { DatabaseFacts, RoleFacts } from './database.ts';
import { checkOf, type Finding } from './finding.ts';
import { postgresFinding } from './versions.ts';

/** Everything that the database tells, judged. `local`: nobody outside this machine reaches it. */
export function databaseFindings(facts: DatabaseFacts, local: boolean): readonly Finding[] {
  if (facts.inRecovery) {
    const next = 'look at the one that it follows: only there stands what the ledger writes';
    return [checkOf('postgres').unknown('this database is a replica', next)];
  }
  return [
    postgresFinding(facts.versionNumber),
    ...guardFindings(facts),
    durabilityFinding(facts),
    copiesFinding(facts),
    checksumFinding(facts),
    ...roleFindings(facts.roles),
    encryptionFinding(facts, local),
    clockFinding('the database', facts.clock),
    ...chainFindings(facts),
  ];
}

const SETTING = /^setting (\S+) is off/;

/** Schema, triggers, constraints and what the writer may: what the ledger itself starts with. */
function guardFindings({ guards }: DatabaseFacts): readonly Finding[] {
  const check = checkOf('ledger-guards');
  const faults = guardFaults(guards).filter((fault) => !SETTING.test(fault));
  if (faults.length === 0) {
    const version = `schema ${guards.schemaVersion}`;
    return [check.ok(`${version}, all triggers and constraints; ${guards.role} may only add`)];
  }
  return faults.map((fault) => {
    const [what = fault, ...advice] = fault.split(': ');
    return check.sick(what, advice.join(': ') || 'find out who changed it');
  });
}

const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes'];

function durabilityFinding({ guards, overrides }: DatabaseFacts): Finding {
  const check = checkOf('postgres-durability');
  const off = DURABLE.filter(
    (name) => guards.settings[name] === 'off' || overrides.includes(`${name}=off`),
  );
  if (off.length === 0)
    return check.ok(`what is recorded is on disk: ${DURABLE.join(', ')} are on`);
  return check.sick(
    `${off.join(', ')} off: what the ledger has answered may be gone after a power cut`,
    'turn it on in postgresql.conf and for role ledger_writer, then restart Postgres and ledger',
  );
}

function copiesFinding({ replicas, archives }: DatabaseFacts): Finding {
  const check = checkOf('postgres-copies');
  const ways = [
    ...(replicas > 0 ? [`${replicas} replicas follow`] : []),
    ...(archives ? ['WAL is archived'] : []),
  ];
  if (ways.length > 0) return check.ok(`the chain is in more than one place: ${ways.join(', ')}`);
  return check.advice(
    'no replica follows this database and its WAL is not archived: a lost disk loses the chain',
    'set up a replica or WAL archiving, and try the restore: docs/deployment.md',
  );
}

function checksumFinding({ checksums }: DatabaseFacts): Finding {
  const check = checkOf('postgres-checksums');
  if (checksums) return check.ok('pages carry checksums: a disk that errs is noticed');
  const next = 'stop Postgres and run pg_checksums --enable';
  return check.advice('pages carry no checksums: a disk that errs is noticed late', next);
}

const SUPERUSERS_MAX = 1;

function roleFindings(roles: RoleFacts): readonly Finding[] {
  const check = checkOf('postgres-roles');
  const { others, superusers, ownerLogsIn, anybodyCreates } = roles;
  const findings = [
    ...others.map((held) => {
      const [role = '', right = '', table = ''] = held.split(' ');
      const next = `revoke ${right} on ${table} from ${role}, or the role it has it by`;
      return check.sick(`role ${role} may ${right} ${table}; nobody but the ledger should`, next);
    }),
    ...(ownerLogsIn
      ? [check.sick('ledger_owner can log in, and may drop what guards', 'alter role … nologin')]
      : []),
    ...(anybodyCreates
      ? [
          check.sick(
            'every role may create objects in schema public, which could stand before ours',
            'revoke create on schema public from public',
          ),
        ]
      : []),
    ...(superusers.length > SUPERUSERS_MAX
      ? [
          check.advice(
            `${superusers.length} superusers can log in: ${superusers.join(', ')}`,
            'leave one, for emergencies: a superuser can drop the triggers',
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [check.ok('nobody but the ledger may write')];
}

function encryptionFinding({ encrypted }: DatabaseFacts, local: boolean): Finding {
  const check = checkOf('postgres-encryption');
  if (encrypted) return check.ok('the database is reached by TLS');
  if (local) return check.ok('the database is reached in the clear, where nobody else listens');
  const next = 'turn on ssl and add ?sslmode=require, or keep the network to itself';
  return check.advice('the database is reached in the clear', next);
}

function chainFindings({ chains }: DatabaseFacts): readonly Finding[] {
  const check = checkOf('open-chains');
  const { open, still, entries } = chains;
  if (still.length === 0) return [check.ok(`${entries} entries; ${open} acquisitions are open`)];
  return still.map(({ acquisitionId, seconds }) =>
    check.advice(
      `acquisition ${acquisitionId} is open and has not moved for ${hours(seconds)}`,
      `impound show ${acquisitionId}: approve, refuse or cancel it, or start what it waits for`,
    ),
  );
}

function hours(seconds: number): string {
  return `${(seconds / 3_600).toFixed(1)} hours`;
}
