// SPDX-License-Identifier: Apache-2.0
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import { Order } from '@impound/contracts/order.ts';
import * as z from 'zod';
import {
  AuditAnswer,
  CallbacksAnswer,
  DecidedAnswer,
  HealthAnswer,
  ListAnswer,
  ProblemAnswer,
  SubmittedAnswer,
  ViewAnswer,
} from '../domain/answers.ts';
import { Page, Reason } from './http-acquisitions.ts';
import { AuditQuery } from './http-audit.ts';
import { CallbacksQuery } from './http-callbacks.ts';
import { ContainersQuery, PlainQuery } from './http-clusters.ts';
import { IngestQuery } from './http-ingest.ts';
import { EVIDENCE_OPERATIONS } from './openapi-evidence.ts';
import { LOG_OPERATIONS } from './openapi-log.ts';
import type { Operation } from './openapi-operation.ts';

const JSON_TYPE = 'application/json';
const ALWAYS = [400, 401, 403, 406, 429, 431, 500, 503];
const WITH_BODY = [408, 413, 415, 422];
const PROBLEM = { content: { 'application/problem+json': ref('Problem') } };
const ONE = '/v1/acquisitions/{id}';

const decision = (verb: string, summary: string): Operation => ({
  id: `${verb}Acquisition`,
  method: 'post',
  path: `${ONE}/${verb}`,
  summary,
  body: Reason,
  status: 202,
  type: JSON_TYPE,
  answer: DecidedAnswer,
  problems: [404, 409, ...WITH_BODY],
});

const clusters = (id: string, path: string, query: z.ZodObject): Operation => ({
  id,
  method: 'get',
  path,
  summary: 'What there is to acquire, as discovery sees it.',
  query,
  status: 200,
  type: JSON_TYPE,
  answer: DiscoveryListV1.reply,
  problems: [404, 422],
});

const OPERATIONS: readonly Operation[] = [
  {
    id: 'submitAcquisition',
    method: 'post',
    path: '/v1/acquisitions',
    summary: 'Orders one acquisition; answered after it was recorded.',
    body: Order,
    status: 202,
    type: JSON_TYPE,
    answer: SubmittedAnswer,
    problems: WITH_BODY,
    security: [{ bearer: [] }, { mutualTLS: [] }, { webhook: [] }],
  },
  {
    id: 'ingestAlert',
    method: 'post',
    path: '/v1/ingest/{preset}',
    summary: 'Orders what an alert is about, in the form in which its product sends it.',
    query: IngestQuery,
    body: z.unknown(),
    status: 202,
    type: JSON_TYPE,
    answer: SubmittedAnswer,
    problems: [404, ...WITH_BODY],
    security: [{ bearer: [] }, { mutualTLS: [] }, { webhook: [] }],
  },
  {
    id: 'listAcquisitions',
    method: 'get',
    path: '/v1/acquisitions',
    summary: 'Acquisitions of the tenant, newest first.',
    query: Page,
    status: 200,
    type: JSON_TYPE,
    answer: ListAnswer,
    problems: [],
  },
  {
    id: 'viewAcquisition',
    method: 'get',
    path: ONE,
    summary: 'One acquisition, folded from its chain.',
    status: 200,
    type: JSON_TYPE,
    answer: ViewAnswer,
    problems: [404],
  },
  {
    id: 'readChain',
    method: 'get',
    path: `${ONE}/chain`,
    summary: 'Its chain, entry by entry, as the exact texts that were hashed.',
    status: 200,
    type: 'application/jsonl',
    problems: [404],
  },
  {
    id: 'followAcquisition',
    method: 'get',
    path: `${ONE}/events`,
    summary: 'Its entries as server-sent events; 204 where nothing more will come.',
    status: 200,
    type: 'text/event-stream',
    problems: [404],
  },
  decision('approve', 'Lets it begin; by somebody other than who asked.'),
  decision('refuse', 'Ends it before it begins; by somebody other than who asked.'),
  decision('cancel', 'Wants it stopped.'),
  {
    ...decision('call-back', 'Has its callbacks that are given up sent once more.'),
    id: 'sendCallbacksAgain',
  },
  {
    id: 'listCallbacks',
    method: 'get',
    path: '/v1/callbacks',
    summary: 'The callbacks of the tenant that are given up, oldest first.',
    query: CallbacksQuery,
    status: 200,
    type: JSON_TYPE,
    answer: CallbacksAnswer,
    problems: [422],
  },
  ...EVIDENCE_OPERATIONS,
  {
    id: 'readAudit',
    method: 'get',
    path: '/v1/audit',
    summary:
      'Entries of the log that fit, in its order; the reading is on record before it leaves.',
    query: AuditQuery,
    status: 200,
    type: JSON_TYPE,
    answer: AuditAnswer,
    problems: [409, 422],
  },
  ...LOG_OPERATIONS,
  clusters('listClusters', '/v1/clusters', PlainQuery),
  clusters('listNamespaces', '/v1/clusters/{cluster}/namespaces', PlainQuery),
  clusters(
    'listContainers',
    '/v1/clusters/{cluster}/namespaces/{namespace}/containers',
    ContainersQuery,
  ),
];

/** The HTTP door as OpenAPI 3.1, made from the shapes by which it reads and answers. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const one of OPERATIONS) {
    paths[one.path] = { ...paths[one.path], [one.method]: operationOf(one) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'impound gateway',
      version: '1.0.0',
      description:
        'Orders and decisions in, what is known and evidence out. The path may be preceded by ' +
        '/i/{integration} (whose secret signs) or /t/{token} (where a sender sets no headers).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { mutualTLS: [] }],
    paths: { ...paths, '/healthz': { get: healthOf() } },
    components: {
      schemas: { Problem: schemaOf(ProblemAnswer, 'output') },
      securitySchemes: SCHEMES,
    },
  };
}

/** The same as a file of the repository. */
export function openApiText(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`;
}

const SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer' },
  mutualTLS: { type: 'mutualTLS' },
  webhook: {
    type: 'apiKey',
    in: 'header',
    name: 'webhook-signature',
    description: 'Standard Webhooks, with webhook-id, webhook-timestamp and impound-integration.',
  },
};

function ref(name: string): object {
  return { schema: { $ref: `#/components/schemas/${name}` } };
}

function schemaOf(shape: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io, target: 'draft-2020-12' });
  return schema;
}

function healthOf(): object {
  const answer = { [JSON_TYPE]: { schema: schemaOf(HealthAnswer, 'output') } };
  return {
    operationId: 'health',
    summary: 'Whether it works, and by a file of integrations that is whole.',
    security: [],
    responses: { 200: { description: 'It answers.', content: answer } },
  };
}

function operationOf(one: Operation): object {
  const problems = [...ALWAYS, ...one.problems].toSorted((a, b) => a - b);
  const told = problems.map((status) => [status, { description: 'A problem.', ...PROBLEM }]);
  return {
    operationId: one.id,
    summary: one.summary,
    ...(one.security === undefined ? {} : { security: one.security }),
    parameters: [...inPath(one.path), ...inQuery(one.query), ...inHeader(one.id)],
    ...(one.body === undefined ? {} : { requestBody: bodyOf(one.body) }),
    responses: {
      [one.status]: { description: one.summary, content: contentOf(one) },
      ...EXTRA[one.id],
      ...Object.fromEntries(told),
    },
  };
}

const EXTRA: Readonly<Record<string, object>> = {
  ingestAlert: {
    200: {
      description: 'With dry-run: the order that it would be.',
      content: { [JSON_TYPE]: { schema: { type: 'object', required: ['order'] } } },
    },
  },
  followAcquisition: { 204: { description: 'It has ended, and all of it was seen.' } },
  readEvidence: {
    206: {
      description: 'A range of it.',
      content: { 'application/octet-stream': {} },
    },
  },
};

function contentOf({ type, answer }: Operation): object {
  return { [type]: answer === undefined ? {} : { schema: schemaOf(answer, 'output') } };
}

function bodyOf(shape: z.ZodType): object {
  return { required: true, content: { [JSON_TYPE]: { schema: schemaOf(shape, 'input') } } };
}

function inPath(path: string): object[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
}

function inQuery(query: z.ZodObject | undefined): object[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' });
  const { properties: read = {} } = z.toJSONSchema(query, { io: 'output' });
  return Object.keys(properties).map((name) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: read[name],
  }));
}

/** What some operations also read of the headers. */
function inHeader(id: string): object[] {
  const header = (name: string, description: string) => [
    { name, in: 'header', required: false, description, schema: { type: 'string' } },
  ];
  if (id === 'submitAcquisition' || id === 'ingestAlert') {
    return header('Idempotency-Key', 'One order under one key: a repeat gets the same answer.');
  }
  if (id === 'followAcquisition') return header('Last-Event-ID', 'The last entry that was seen.');
  return id === 'readEvidence' ? header('Range', 'Part of it.') : [];
}
