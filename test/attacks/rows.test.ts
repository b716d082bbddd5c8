// SPDX-License-Identifier: Apache-2.0
// Rows of the database are changed by a superuser. Who finds it: fsck, and auditors by their keys.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { formatVkey } from '@impound/transparency/vkey.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { exportBag } from './bag.ts';
import { emptied, fsck, impound, type Verdict } from './detectors.ts';
import { type Recorded, recordedLog } from './stage.ts';
import { tampered } from './tamper.ts';

let on: Recorded;

before(async () => {
  on = await recordedLog();
});

/** Where the entry with this place in the chain of the exported acquisition stands. */
function ofChain(acqSeq: number): string {
  return `(select idx from ledger_entry
    where acq = '${on.acquisitionId}' and acq_seq = ${acqSeq})`;
}

interface Seen {
  readonly fsck: Verdict;
  /** Of a bag that is exported from the changed database. */
  readonly verify: Verdict;
}

/** A copy of the database is changed, and two detectors look, which passed the untouched one. */
async function seen(change: string): Promise<Seen> {
  await using scope = new AsyncDisposableStack();
  const { database, sql } = await tampered(scope, on, change);
  const bag = await emptied(on.folder, 'changed');
  await exportBag(sql, { told: on.told, secret: on.secret, policy: on.policy }, bag);
  const by = ['--vkey', formatVkey(on.log), '--known', on.early, '--known', on.newest];
  return {
    fsck: await fsck(database, ...by),
    verify: await impound(['verify', bag, ...on.trust]),
  };
}

test('a log and a bag that nobody has touched pass every detector', async () => {
  const { fsck: whole, verify } = await seen('');
  assert.deepEqual([whole.code, verify.code], [EXIT.ok, EXIT.ok], whole.out + verify.out);
  assert.match(whole.out, /it fits.*\n.* leaves of /);
  assert.match(whole.out, /held against 2 checkpoints known outside, 1 keys/);
  assert.match(verify.out, /^verified: everything fits, but NOT PROVEN BY WHOM: no key on record/m);
  assert.match(verify.out, /alpha at .*, beta at .*; the policy wants 2 of \(alpha, beta\)$/m);
  assert.equal((await impound(['verify', on.bag, ...on.trust])).code, EXIT.ok);
});

/** Somebody changes what was recorded: what fsck, and who reads a bag, end with and say. */
interface Attack {
  readonly name: string;
  readonly change: () => string;
  readonly fsck: readonly [exit: number, words: RegExp];
  readonly verify: readonly [exit: number, words: RegExp];
}

const SET = (column: string, value: string) =>
  `update ledger_entry set ${column} = ${value} where idx = ${ofChain(5)}`;
const OTHER_BYTE = `overlay(entry placing '9' from octet_length(entry) - 3)`;
const OTHER_REASON = `replace(convert_from(entry, 'UTF8'), '"executor":"kubernetes"',
  '"executor":"kubernetez"')::bytea`;

const ATTACKS: readonly Attack[] = [
  {
    name: '1: one byte of an entry is changed, and its hash is not',
    change: () => SET('entry', OTHER_BYTE),
    fsck: [
      EXIT.findings,
      /entry at \d+ \(event .*\): its bytes hash to \w{64}, its row holds \w{64}/,
    ],
    verify: [
      EXIT.proof,
      /proof-refused: .* leads to root \w{64}, not \w{64} \(.*000005.*, index \d+/,
    ],
  },
  {
    name: '2: an entry is changed together with its hash',
    change: () =>
      `${SET('entry', OTHER_REASON)}; update ledger_entry set leaf = sha256('\\x00'::bytea || entry)`,
    fsck: [EXIT.tree, /tree at \d+: tile\/0\/000 holds another hash than leaf \d+/],
    verify: [EXIT.proof, /proof-refused: .*000005/],
  },
  {
    name: '4: a row in the middle is deleted',
    change: () => `delete from ledger_entry where idx = ${ofChain(5)}`,
    fsck: [EXIT.findings, /entry at \d+: leaf \d+ is missing/],
    verify: [EXIT.proof, /chain-broken: entry 6 follows entry 4/],
  },
  {
    name: '5: two rows change their places',
    change: () => `
      create temporary table places as select idx, event_id from ledger_entry
        where acq = '${on.acquisitionId}' and acq_seq in (4, 5);
      update ledger_entry set idx = idx + 1000000 where event_id in (select event_id from places);
      update ledger_entry e set idx = p.idx from places p
        where e.idx >= 1000000 and p.event_id <> e.event_id`,
    fsck: [
      EXIT.chain,
      /chain at .*: the entry before it .* stands behind it.*\n.*tree at \d+: tile/,
    ],
    verify: [EXIT.proof, /proof-refused: .*000004.*\n.*proof-refused: .*000005/],
  },
  {
    name: '23: a column is changed, and the bytes that it was made of are not',
    change: () => `${SET('actor', "'nobody'")}; ${SET('case_id', "'other'")};
      ${SET('event_at', "event_at + interval '1 microsecond'")}`,
    fsck: [EXIT.index, /index at \d+ .*column caseId holds "other", its bytes say "IR-2026-017"/],
    verify: [EXIT.ok, /everything fits/],
  },
];

for (const { name, change, ...expected } of ATTACKS) {
  test(name, async () => {
    const { fsck: whole, verify } = await seen(change());
    assert.deepEqual([whole.code, verify.code], [expected.fsck[0], expected.verify[0]], whole.out);
    assert.match(whole.out, expected.fsck[1]);
    assert.match(verify.out, expected.verify[1]);
  });
}
