// SPDX-License-Identifier: Apache-2.0
import { checkOf, type Finding } from './finding.ts';

type Version = readonly number[];

function versionOf(text: string): Version | undefined {
  const found = /^\D*(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found?.slice(1).map((part) => Number(part ?? 0));
}

function isBelow(version: Version, floor: Version): boolean {
  for (const [at, part] of floor.entries()) {
    const own = version[at] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}

/** Node as package.json asks for it: ^24.12 || >=26. */
export function nodeFinding(version: string): Finding {
  const check = checkOf('node-version');
  const own = versionOf(version);
  const fits = own !== undefined && !isBelow(own, [24, 12]) && own[0] !== 25;
  if (fits) return check.ok(`Node ${version}`);
  return check.sick(`Node ${version} is not what impound runs on`, 'run Node 24.12 or a later 24');
}

const NATS_FLOOR = [2, 9, 10];
/** Where each line has what advisories 2026-13, -16 and -18 of the NATS project ask for. */
const NATS_FIXED: readonly Version[] = [
  [2, 11, 16],
  [2, 12, 7],
  [2, 14, 0],
];

/** A reply subject that is a wildcard overflowed the stack of what is older: nats-server#3862. */
const NATS_STANDS: Version = [2, 9, 15];

/** Of the bus it matters who may do what: some versions let a client do more than it may. */
export function natsFinding(version: string): Finding {
  const check = checkOf('nats-version');
  const own = versionOf(version);
  if (own === undefined) {
    return check.unknown(`the bus calls its version ${version}`, 'run nats-server 2.14 or newer');
  }
  if (isBelow(own, NATS_FLOOR)) {
    return check.sick(
      `nats-server ${version} is older than anything impound was tried with`,
      'run 2.14 or newer; 2.9.10 is the oldest that works',
    );
  }
  const line = NATS_FIXED.find(([major, minor]) => major === own[0] && minor === own[1]);
  const known = line === undefined ? isBelow(own, [2, 14, 0]) : isBelow(own, line);
  if (isBelow(own, NATS_STANDS)) {
    return check.advice(
      `nats-server ${version} is ended by one message of any integration that it lets in`,
      'run 2.14 or newer; until then let integrations in over HTTP alone',
    );
  }
  if (!known) return check.ok(`nats-server ${version}, no advisory known to this version`);
  return check.advice(
    `nats-server ${version} has holes in who may do what (NATS advisories 2026-13, -16, -18)`,
    'run 2.14 or newer; 2.12.7 and 2.11.16 have the repairs, too',
  );
}

/** The oldest major that is maintained, and what each got on 2026-05-14, with eleven CVEs. */
const POSTGRES_FLOOR = 15;
const POSTGRES_FIXED: Readonly<Record<number, number>> = { 15: 18, 16: 14, 17: 10, 18: 4 };

/** By server_version_num: 170010 is 17.10. */
export function postgresFinding(versionNumber: number): Finding {
  const check = checkOf('postgres-version');
  const [major, minor] = [Math.floor(versionNumber / 10_000), versionNumber % 10_000];
  const version = `PostgreSQL ${major}.${minor}`;
  if (major < POSTGRES_FLOOR) {
    return check.sick(`${version} gets no repairs any more`, 'move to PostgreSQL 17 or newer');
  }
  const fixed = POSTGRES_FIXED[major] ?? 0;
  if (minor >= fixed) return check.ok(`${version}, no advisory known to this version`);
  return check.advice(
    `${version} lacks the repairs of ${major}.${fixed} (CVE-2026-6473 and ten others)`,
    `run the newest ${major}: the data stays as it is`,
  );
}
