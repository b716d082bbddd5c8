// SPDX-License-Identifier: Apache-2.0
import { Inspection } from '@impound/contracts/evidence.ts';
import { Reason } from './http-acquisitions.ts';
import { PurposeQuery } from './http-evidence.ts';
import type { Operation } from './openapi-operation.ts';

/** What can be asked of evidence. */
export const EVIDENCE_OPERATIONS: readonly Operation[] = [
  {
    id: 'readEvidence',
    method: 'get',
    path: '/v1/acquisitions/{id}/evidence/{set}/{name}',
    summary: 'One evidence object; the access is on record before the first byte.',
    query: PurposeQuery,
    status: 200,
    type: 'application/octet-stream',
    problems: [404, 409, 422],
  },
  {
    id: 'inspectEvidence',
    method: 'post',
    path: '/v1/acquisitions/{id}/inspect',
    summary: 'How the store holds its evidence now, against what is on record; so is the answer.',
    body: Reason,
    status: 200,
    type: 'application/json',
    answer: Inspection,
    problems: [404, 408, 409, 413, 415, 422],
  },
];
