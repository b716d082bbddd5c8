// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { SessionName } from './object-name.ts';
import { refuseOpening } from './opening.ts';

const live = { version: 5, epoch: 1, claimedBy: 'k8s-1-7f3a', stop: false, ended: false };
const CASES = [
  ['the claimant of the live epoch', live, {}, undefined],
  [
    'discovery, before any epoch',
    { version: 1, stop: false, ended: false },
    { set: 'context' },
    undefined,
  ],
  ['an acquisition that nobody asked for', { ...live, version: 0 }, {}, 'acquisition-unknown'],
  ['an acquisition that has ended', { ...live, ended: true }, {}, 'acquisition-ended'],
  ['context of an ended one', { ...live, ended: true }, { set: 'context' }, 'acquisition-ended'],
  ['an epoch that is over', { ...live, epoch: 2 }, {}, 'epoch-not-live'],
  ['an epoch that is yet to come', live, { set: 'e2' }, 'epoch-not-live'],
  ['no live epoch', { version: 5, stop: false, ended: false }, {}, 'epoch-not-live'],
  ['another worker', live, { worker: 'k8s-2-0000' }, 'not-claimant'],
  ['an epoch that nobody claimed', { ...live, claimedBy: undefined }, {}, 'not-claimant'],
] as const;

for (const [name, head, changes, code] of CASES) {
  test(`an upload is ${code ?? 'opened'} for ${name}`, () => {
    const session = SessionName.parse({ ...UploaderOpenV1.example.request, ...changes });
    assert.equal(refuseOpening(session, LedgerHeadV1.reply.parse(head))?.code, code);
  });
}
