// SPDX-License-Identifier: Apache-2.0
import { certificatesIn, type TimeTrust } from '@impound/evidence/verify-time.ts';
import { fsck } from '@impound/ledger/handlers/fsck.ts';
import type { Outside } from '@impound/ledger/handlers/fsck-marks.ts';
import type {
  FsckClass,
  FsckFinding,
  FsckReport,
  KeptLog,
} from '@impound/ledger/handlers/fsck-ports.ts';
import type { StampCheck } from '@impound/ledger/handlers/fsck-stamps.ts';
import { readConfig, withFiles } from '@impound/runtime/config.ts';
import { openDatabase } from '@impound/runtime/postgres.ts';
import { SecretText } from '@impound/runtime/secret.ts';
import type { Policy } from '@impound/transparency/policy.ts';
import { sigsumWitnessVkey } from '@impound/transparency/sigsum.ts';
import type { Vkey } from '@impound/transparency/vkey.ts';
import * as z from 'zod';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { changeLogKeys } from '../log-keys.ts';
import { inMirror } from '../mirror.ts';
import { knownCheckpoints, trustOf } from '../trust.ts';

/** Looks at a whole log from its bytes. */
export async function ledger(here: Here, signal: AbortSignal): Promise<number> {
  const [what, ...more] = here.args.positionals;
  if (what === 'rotate' || what === 'succeed') return await changeLogKeys(here, what, more);
  if (what !== 'fsck' || more.length > 0) {
    throw new Exit(EXIT.usage, 'impound ledger fsck, rotate or succeed; see impound help');
  }
  const { key, policy, time } = await trustOf(here.args);
  const outside: Outside = {
    witnesses: witnessesOf(policy),
    stamp: stampCheck(time),
    keys: key === undefined ? [] : [key],
    known: await knownCheckpoints(here.args),
  };
  const work = (log: KeptLog) => checked(here, { log, outside }, signal);
  const mirror = here.args.text('mirror');
  const report =
    mirror === undefined
      ? await inDatabase(here, work)
      : await inMirror(here, { mirror, work }, signal);
  here.printer.value('fsck', { ok: report.findings.length === 0, ...report });
  tell(here, report, outside);
  const [first] = report.findings;
  return first === undefined ? EXIT.ok : EXITS[first.class];
}

/** Under the names of a policy, and under those by which sigsum knows the same keys. */
function witnessesOf(policy: Policy | undefined): readonly Vkey[] {
  return (policy?.witnesses ?? []).flatMap(({ key, vkey }) => [
    ...(vkey === undefined ? [] : [vkey]),
    sigsumWitnessVkey(key),
  ]);
}

function stampCheck(time: TimeTrust | undefined): StampCheck | undefined {
  const trusted = certificatesIn(time?.certificates);
  if (time === undefined || trusted.length === 0) return undefined;
  return (token, data) => time.check(token, { data, trusted });
}

/** One code for each promise that can be broken; the first place that does not fit decides. */
const EXITS: Readonly<Record<FsckClass, number>> = {
  entry: EXIT.findings,
  chain: EXIT.chain,
  checkpoint: EXIT.signature,
  cosignature: EXIT.witness,
  stamp: EXIT.time,
  index: EXIT.index,
  tree: EXIT.tree,
  batch: EXIT.tree,
  history: EXIT.history,
};

const config = z.object({
  /** postgres://ledger_verifier:…@host:port/database; DATABASE_URL_FILE names a file with it. */
  DATABASE_URL: SecretText,
});

/** The rows of a long log are counted in one statement. */
const STATEMENT_MS_MAX = 600_000;

type Work = (log: KeptLog) => Promise<FsckReport>;

async function inDatabase({ environment }: Here, work: Work): Promise<FsckReport> {
  const { inSnapshot } = await import('@impound/ledger/adapters/postgres-fsck.ts');
  const { DATABASE_URL } = readConfig(config, await withFiles(config, environment));
  await using scope = new AsyncDisposableStack();
  const limits = { connectionsMax: 1, statementMsMax: STATEMENT_MS_MAX };
  const options = { ...limits, name: 'impound-fsck' };
  return await inSnapshot(openDatabase(DATABASE_URL, options, scope), work);
}

/** A mirror by its directory, or by its address as MIRROR_URL has it. */
function checked(
  { printer }: Here,
  { log, outside }: { readonly log: KeptLog; readonly outside: Outside },
  signal: AbortSignal,
): Promise<FsckReport> {
  const tenths = (leaves: number) => Math.floor((leaves * 10) / Math.max(log.size, 1));
  let told = 0;
  const progress = (leaves: number) => {
    if (tenths(leaves) === told) return;
    told = tenths(leaves);
    printer.doing(`${leaves} of ${log.size} leaves`);
  };
  return fsck(log, outside, progress, signal);
}

const SHOWN_MAX = 20;

function tell({ printer }: Here, report: FsckReport, { keys, known }: Outside): void {
  const { findings, size, entries, tiles, batches, checkpoints, signed } = report;
  const { cosignatures, cosigned, stamps, stamped, heads } = report;
  for (const finding of findings.slice(0, SHOWN_MAX)) printer.line(`  ${sentence(finding)}`);
  if (findings.length > 0) {
    const more = findings.length + report.leftOut - 1;
    printer.line(
      `DOES NOT FIT, first at ${findings[0]?.idx}, and ${more} more: keep a copy of it,`,
    );
    printer.line('and compare with a mirror, a witness or an export made before.');
  } else printer.line('it fits: everything that is kept follows from the bytes of the leaves');
  printer.line(`  ${entries} leaves of ${size}, ${tiles} tiles, ${batches} batches`);
  printer.line(`  ${checkpoints} checkpoints, ${signed} of them signed by a key that was given`);
  printer.line(`  ${cosignatures} cosignatures, ${cosigned} of them by witnesses that were given`);
  printer.line(`  ${stamps} stamps of time, ${stamped} of them by an authority that was given`);
  printer.line(`  ${heads} roots over the heads of all chains`);
  printer.line(`  root ${report.root ?? 'unknown: a leaf is missing'}`);
  printer.line(`  held against ${known.length} checkpoints known outside, ${keys.length} keys`);
  if (known.length > 0) return;
  printer.line(
    '  not proven here: that nobody rewrote all of it, or cut off its end. Give a checkpoint',
  );
  printer.line('  that somebody else has kept: --known FILE.');
}

function sentence({ class: kind, idx, eventId, what }: FsckFinding): string {
  return `${kind} at ${idx}${eventId === undefined ? '' : ` (event ${eventId})`}: ${what}`;
}
