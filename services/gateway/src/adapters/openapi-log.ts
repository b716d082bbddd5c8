// SPDX-License-Identifier: Apache-2.0
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerConsistencyV1 } from '@impound/contracts/ask/ledger.consistency.v1.ts';
import { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import {
  BundleQuery,
  ConsistencyQuery,
  HeadQuery,
  ProofQuery,
  SignersQuery,
  StampsQuery,
} from './http-log.ts';
import type { Operation } from './openapi-operation.ts';

const JSON_TYPE = 'application/json';

/** What can be asked of the log. */
export const LOG_OPERATIONS: readonly Operation[] = [
  {
    id: 'readProofs',
    method: 'get',
    path: '/v1/acquisitions/{id}/proof',
    summary: 'Where its entries stand in the log: proofs under the checkpoint of a size.',
    query: ProofQuery,
    status: 200,
    type: JSON_TYPE,
    answer: LedgerProofV1.reply,
    problems: [404],
  },
  {
    id: 'readLog',
    method: 'get',
    path: '/v1/log',
    summary: 'The newest checkpoint of the log, its keys, and the policy on witnesses.',
    status: 200,
    type: JSON_TYPE,
    answer: LedgerCheckpointV1.reply,
    problems: [],
  },
  {
    id: 'readHead',
    method: 'get',
    path: '/v1/acquisitions/{id}/head',
    summary:
      'Which entry was the last of a chain, by the newest root over the heads of all chains.',
    query: HeadQuery,
    status: 200,
    type: JSON_TYPE,
    answer: LedgerHeadsV1.reply,
    problems: [404],
  },
  {
    id: 'readConsistency',
    method: 'get',
    path: '/v1/log/consistency',
    summary: 'That the log of one size began with the log of a smaller one.',
    query: ConsistencyQuery,
    status: 200,
    type: JSON_TYPE,
    answer: LedgerConsistencyV1.reply.required(),
    problems: [404],
  },
  {
    id: 'readStamps',
    method: 'get',
    path: '/v1/log/stamps',
    summary: 'Between which tokens of an authority of time (RFC 3161) entries of the log lie.',
    query: StampsQuery,
    status: 200,
    type: JSON_TYPE,
    answer: LedgerStampsV1.reply,
    problems: [],
  },
  {
    id: 'readSigners',
    method: 'get',
    path: '/v1/log/signers',
    summary: 'Who signs what they capture and store: the entries that put their keys on record.',
    query: SignersQuery,
    status: 200,
    type: JSON_TYPE,
    answer: LedgerSignersV1.reply,
    problems: [],
  },
  {
    id: 'readCheckpoint',
    method: 'get',
    path: '/checkpoint',
    summary: 'The newest checkpoint as a signed note (C2SP tlog-checkpoint); also below /sigsum.',
    status: 200,
    type: 'text/plain',
    problems: [404],
    security: [],
  },
  {
    id: 'readEntries',
    method: 'get',
    path: '/tile/entries/{n}',
    summary: 'For auditors: the entries behind a tile (C2SP tlog-tiles); it is on record before.',
    query: BundleQuery,
    status: 200,
    type: 'application/octet-stream',
    problems: [404],
  },
  {
    id: 'readTile',
    method: 'get',
    path: '/tile/{level}/{n}',
    summary: 'Hashes of the tree (C2SP tlog-tiles): 256, or fewer at <n>.p/<width>.',
    status: 200,
    type: 'application/octet-stream',
    problems: [404],
    security: [],
  },
];
