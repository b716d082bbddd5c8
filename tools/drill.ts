// SPDX-License-Identifier: Apache-2.0
// `npm run drill -- NAME [--full] [ARGUMENT…]`: breaks something and holds every promise against it.
import process from 'node:process';
import { busAmnesia } from '../drill/bus-amnesia.ts';
import { crowd } from '../drill/crowd.ts';
import type { Drill } from '../drill/fleet/drill.ts';
import { killMatrix } from '../drill/kill-matrix.ts';
import { ledgerAway } from '../drill/ledger-away.ts';
import { ledgerCrash } from '../drill/ledger-crash.ts';
import { load } from '../drill/load.ts';
import { memory } from '../drill/memory.ts';
import { mixedVersions } from '../drill/mixed-versions.ts';
import { partition } from '../drill/partition.ts';
import { store } from '../drill/store.ts';
import { zombie } from '../drill/zombie.ts';

const DRILLS: Readonly<Record<string, Drill>> = {
  crowd,
  'kill-matrix': killMatrix,
  'bus-amnesia': busAmnesia,
  memory,
  load,
  'ledger-away': ledgerAway,
  'ledger-crash': ledgerCrash,
  'mixed-versions': mixedVersions,
  partition,
  store,
  zombie,
};

const [name = '', ...rest] = process.argv.slice(2);
const chosen = DRILLS[name];
if (chosen === undefined) {
  const known = Object.entries(DRILLS).map(
    ([each, { sentence }]) => `  npm run drill -- ${each}\n    ${sentence}`,
  );
  process.stderr.write(
    `${name ? `there is no drill ${name}` : 'which one?'}\n${known.join('\n')}\n`,
  );
  process.exitCode = 2;
} else {
  const stop = new AbortController();
  for (const one of ['SIGINT', 'SIGTERM'] as const) {
    process.once(one, () => stop.abort(new Error(`ended by ${one}`)));
  }
  const findings = await chosen.run({
    full: rest.includes('--full'),
    clocked: true,
    args: rest.filter((each) => !each.startsWith('--')),
    signal: stop.signal,
    tell: (line) => void process.stdout.write(`${line}\n`),
  });
  process.stdout.write(
    findings.length === 0 ? 'as promised\n' : `${findings.length} not as promised\n`,
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
}
