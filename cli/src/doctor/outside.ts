// SPDX-License-Identifier: Apache-2.0
import type { Database } from '@impound/runtime/postgres.ts';
import type { Policy } from '@impound/transparency/policy.ts';
import { checkOf, type Finding } from './finding.ts';

/** Who remembers the log outside of its database, as the ledger is told. */
export interface OutsideSettings {
  readonly policy?: Policy | undefined;
  readonly mirror?: string | undefined;
  /** The address of an authority of time. */
  readonly authority?: string | undefined;
}

/** When something was last said of the log, in Unix milliseconds; undefined: never. */
export interface ShownFacts {
  readonly checkpointMs: number | undefined;
  readonly cosignedMs: number | undefined;
  readonly anchoredMs: number | undefined;
}

/** Reads when, best as ledger_reader. */
export async function shownFacts(sql: Database): Promise<ShownFacts> {
  const [row] = await sql`
    select (select extract(epoch from signed_at) * 1000 from ledger_checkpoint
        order by size desc limit 1) as checkpoint,
      (select extract(epoch from cosigned_at) * 1000 from ledger_cosignature
        order by size desc limit 1) as cosigned,
      (select extract(epoch from anchored_at) * 1000 from ledger_anchor
        order by size desc limit 1) as anchored`;
  const ms = (key: string) => (row?.[key] === null ? undefined : Number(row?.[key]));
  return {
    checkpointMs: ms('checkpoint'),
    cosignedMs: ms('cosigned'),
    anchoredMs: ms('anchored'),
  };
}

const ADVICE = 'docs/witnesses.md';
/** An authority of time is asked once in a while: three times its longest wait. */
const LATE_MS = { witness: 600_000, time: 10_800_000 };

/** What it means where nobody outside remembers the log, and where somebody has stopped to. */
export function outsideFindings(
  { policy, mirror, authority }: OutsideSettings,
  facts: ShownFacts | undefined,
): readonly Finding[] {
  return [witnessFinding(policy, facts), mirrorFinding(mirror), timeFinding(authority, facts)];
}

function witnessFinding(policy: Policy | undefined, facts: ShownFacts | undefined): Finding {
  const check = checkOf('log-witness');
  const shown = policy?.witnesses.filter(({ url }) => url !== undefined).length ?? 0;
  if (policy === undefined || shown === 0 || policy.isQuorum(new Set())) {
    return check.advice(
      'no witness must sign the log: whoever owns its database can write it anew, unseen',
      `run a witness under other people, and name it in the policy: ${ADVICE}`,
    );
  }
  const late = lateBy(facts, facts?.cosignedMs);
  if (late === undefined || late <= LATE_MS.witness) {
    return check.ok(`the log is shown to ${shown} witnesses; enough are ${policy.quorum}`);
  }
  return check.sick(
    `no witness has signed for ${spanOf(late)}: what is newer could be written anew, unseen`,
    `see to it that they run and know the log's key; the ledger's log says "not witnessed"`,
  );
}

function mirrorFinding(mirror: string | undefined): Finding {
  const check = checkOf('log-mirror');
  if (mirror === undefined) {
    return check.advice(
      'the log has no mirror: where its database is lost or changed, nothing tells what it held',
      `name a bucket of another account in MIRROR_URL: ${ADVICE}`,
    );
  }
  return check.ok(`the log is copied to ${mirror.split('?')[0]}; ledger fsck --mirror looks at it`);
}

function timeFinding(authority: string | undefined, facts: ShownFacts | undefined): Finding {
  const check = checkOf('log-time');
  if (authority === undefined) {
    return check.advice(
      'no authority of time stamps the log: when something was recorded, only our own clock says',
      `name one in TSA_URL, with its certificate: ${ADVICE}`,
    );
  }
  const late = lateBy(facts, facts?.anchoredMs);
  if (late === undefined || late <= LATE_MS.time) {
    return check.ok(`the log is stamped by ${URL.parse(authority)?.host ?? 'an authority'}`);
  }
  return check.sick(
    `the log was not stamped for ${spanOf(late)}: of what is newer, only our own clock says when`,
    'see to it that the authority is reached; the ledger\'s log says "not stamped"',
  );
}

/** How much older it is than the newest checkpoint; undefined: there is no checkpoint. */
function lateBy(facts: ShownFacts | undefined, at: number | undefined): number | undefined {
  return facts?.checkpointMs === undefined ? undefined : facts.checkpointMs - (at ?? -Infinity);
}

function spanOf(ms: number): string {
  return Number.isFinite(ms) ? `${Math.round(ms / 60_000)} minutes` : 'as long as it exists';
}
