// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { entryText, NO_PREVIOUS } from '@impound/contracts/entry.ts';
import { judgeLog, type Row } from './judge-log.ts';

const ACQ = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';
const TIME = '2026-11-23T09:15:00.000000Z';

interface Told {
  readonly type: string;
  readonly data?: object;
  readonly id?: number;
}

/** A chain that is right in everything that the ledger adds. */
function rows(...told: readonly Told[]): Row[] {
  let previous = NO_PREVIOUS;
  return told.map(({ type, data = {}, id }, idx) => {
    const number = (id ?? idx).toString(16).padStart(12, '0');
    const event = JSON.stringify({
      ...{ specversion: '1.0', id: `0199f5a2-7c3e-7a10-8f52-${number}`, source: '/impound/x/x-1' },
      ...{ type, subject: ACQ, time: TIME, datacontenttype: 'application/json' },
      ...{ tenant: 'default', data },
    });
    const salt = Buffer.alloc(16).toString('base64');
    const head = { acq: ACQ, acqSeq: idx + 1, acqPrev: previous, recordedAt: TIME, salt };
    const entry = Buffer.from(entryText(head, event), 'utf8');
    previous = createHash('sha256').update('\0').update(entry).digest('hex');
    return { idx, leaf: previous, entry };
  });
}

const BEGIN: Told = { type: 'acquisition.requested.v1' };
const SEAL: Told = { type: 'acquisition.sealed.v1' };
const claim = (worker: string): Told => ({
  type: 'execution.started.v1',
  data: { epoch: 1, worker },
});
const captured = (worker: string): Told => ({
  type: 'evidence.captured.v1',
  data: { epoch: 1, worker },
});

function findings(log: readonly Row[], accepted: readonly string[] = [ACQ]): string {
  return judgeLog(log, new Set(accepted)).findings.join('\n');
}

test('a chain that begins, is claimed once and ends once is as promised', () => {
  const whole = rows(BEGIN, claim('w-1'), captured('w-1'), SEAL);
  const { ends, findings: none } = judgeLog(whole, new Set([ACQ]));
  assert.deepEqual([ends, none], [{ 'acquisition.sealed.v1': 1 }, []]);
});

for (const [what, log, because] of [
  ['without an end', rows(BEGIN, claim('w-1')), /has 0 ends/],
  ['that ends twice', rows(BEGIN, SEAL, SEAL), /has 2 ends/],
  ['that fails without a reason', rows(BEGIN, { type: 'acquisition.failed.v1' }), /no reason/],
  ['that lacks an entry', rows(BEGIN, claim('w-1'), SEAL).toSpliced(1, 1), /does not name/],
  ['with an event twice', rows(BEGIN, { ...claim('w-1'), id: 0 }, SEAL), /there twice/],
  ['whose epoch has two holders', rows(BEGIN, claim('a'), claim('b'), SEAL), /claimed twice/],
  ["with another's result", rows(BEGIN, claim('a'), captured('b'), SEAL), /is another's/],
  ['that begins in the middle', rows(claim('a'), SEAL), /begins with execution.started/],
] as const) {
  test(`a chain ${what} is found out`, () => {
    assert.match(findings(log), because);
  });
}

test('bytes that were changed and a request that was lost are found out', () => {
  const [first, ...rest] = rows(BEGIN, SEAL);
  assert.ok(first);
  assert.match(findings([{ ...first, leaf: '0'.repeat(64) }, ...rest]), /another hash/);
  assert.match(findings(rows(BEGIN, SEAL), [ACQ, 'lost']), /lost: was accepted/);
});
