// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiscoveryListV1 } from '@impound/contracts/ask/discovery.list.v1.ts';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerConsistencyV1 } from '@impound/contracts/ask/ledger.consistency.v1.ts';
import { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import { LedgerTileV1 } from '@impound/contracts/ask/ledger.tile.v1.ts';
import { openLog } from '@impound/runtime/log.ts';
import { answer, service } from '@impound/runtime/service.ts';
import { start } from '@impound/runtime/start.ts';
import { compileErrors, validate } from '@readme/openapi-parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import * as z from 'zod';
import { openApiDocument } from '../src/adapters/openapi.ts';
import { house, ORDER, TOKEN } from './gateway-in-a-house.ts';

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; required: boolean }[];
  readonly requestBody?: object;
  readonly responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}
type Document = { readonly paths: Record<string, Record<string, Described>> };

const document = openApiDocument() as Document;
const RUNS = 60;
const LIMIT = { timeout: 120_000 };

test('a foreign validator finds nothing wrong with the OpenAPI document', async () => {
  const found = await validate(structuredClone(document) as never);
  assert.equal(found.valid, true, found.valid ? '' : compileErrors(found));
});

/** An answer that follows the document: its status, its media type and its shape are described. */
function checker() {
  const ajv = new Ajv2020({ strict: false, validateFormats: true });
  (formats as unknown as (to: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'openapi');
  return (path: string, method: string, got: { status: number; type: string; text: string }) => {
    const where = `${method} ${path} ${got.status} ${got.type}: ${got.text.slice(0, 300)}`;
    assert.ok(got.status < 500, where);
    const described = document.paths[path]?.[method]?.responses[got.status];
    assert.ok(described, `no such status is described: ${where}`);
    if (described.content === undefined) return;
    assert.ok(Object.hasOwn(described.content, got.type), `no such type is described: ${where}`);
    if (!got.type.endsWith('json')) return;
    const steps = ['paths', path, method, 'responses', String(got.status), 'content', got.type];
    const pointer = [...steps, 'schema'].map((step) =>
      step.replaceAll('~', '~0').replaceAll('/', '~1'),
    );
    const fits = ajv.getSchema(`openapi#/${pointer.map(encodeURIComponent).join('/')}`);
    assert.ok(fits, `no schema: ${where}`);
    assert.ok(fits(JSON.parse(got.text)), `${where}\n${JSON.stringify(fits.errors)}`);
  };
}

const word = fc.oneof(
  fc.constantFrom('', '0', '-1', '1e9', 'x', 'IR-2026-017', 'analysis', '../x', '%', '\u0000'),
  fc.string({ maxLength: 30 }),
  fc.nat().map(String),
);
const token = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.values(TOKEN)) },
  { weight: 1, arbitrary: fc.constantFrom('wrong', '') },
);
const part = fc.oneof(
  fc.constantFrom(
    ORDER.target,
    'kubernetes://prod-eu/shop?selector=app%3Dcart',
    'kubernetes://a/b',
  ),
  fc.string({ maxLength: 40 }),
  fc.nat(),
  fc.constant(null),
);
const order = fc.record(
  {
    target: fc.oneof(fc.constant(ORDER.target), part),
    caseId: fc.oneof(fc.constant('IR-1'), part),
    reason: fc.oneof(fc.constant('because'), part),
    profile: fc.constantFrom('volatile', 'triage', 'full', 'nothing', 7),
    paths: fc.array(fc.oneof(fc.constant('/etc'), fc.string()), { maxLength: 3 }),
    methods: fc.array(fc.constantFrom('exec-stream', 'telepathy'), { maxLength: 2 }),
    deadlineSeconds: fc.oneof(fc.integer(), fc.double(), fc.constant(60)),
    budget: fc.record({ bytesMax: fc.integer(), secondsMax: fc.integer() }, { requiredKeys: [] }),
    finding: fc.record({ uid: fc.string({ maxLength: 10 }) }),
    surprise: fc.jsonValue(),
  },
  { requiredKeys: ['target', 'caseId', 'reason'] },
);
const body = fc.oneof(
  { weight: 4, arbitrary: order.map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: fc.constantFrom(JSON.stringify(ORDER), '{"reason":"confirmed"}') },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
);
const header = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { accept: 'application/json' },
  { accept: 'text/html' },
  { 'content-type': 'text/plain' },
  { 'idempotency-key': 'one' },
  { 'idempotency-key': 'a b' },
  { 'last-event-id': 'x' },
  { range: 'bytes=0-1' },
  { 'webhook-signature': 'v1,AAAA' },
);

/** Requests for one operation, good and bad. */
function requests({ parameters = [] }: Described, ids: readonly string[]) {
  const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  const fields = Object.fromEntries(names.map((name) => [name, word]));
  const preset = fc.constantFrom('falco', 'ocsf', 'nothing');
  return fc.record({
    id: fc.oneof(fc.constantFrom(...ids), word),
    place: fc.oneof(preset, word),
    query: fc.record(fields, { requiredKeys: [] }),
    token,
    header,
    body,
  });
}

type Requested = ReturnType<typeof requests> extends fc.Arbitrary<infer One> ? One : never;

/** One segment of a path; a client takes out dots and what is empty, and would ask for another. */
function segment(text: string): string {
  return /^\.{0,2}$/.test(text) ? 'x' : encodeURIComponent(text.toWellFormed());
}

function filled(path: string, { id, place, query }: Requested): string {
  const whole = path.replaceAll(/\{(\w+)\}/g, (_, name) => segment(name === 'id' ? id : place));
  const given = Object.entries(query).map(([name, value = '']): [string, string] => [name, value]);
  return `${whole}?${new URLSearchParams(given)}`;
}

async function sent(
  to: URL,
  of: { readonly method: string; readonly described: Described; readonly one: Requested },
) {
  const gone = new AbortController();
  const { one, described } = of;
  const posts = described.requestBody !== undefined;
  const typed = posts ? { 'content-type': 'application/json' } : {};
  const headers = { authorization: `Bearer ${one.token}`, ...typed, ...one.header };
  const init = { method: of.method.toUpperCase(), headers, signal: gone.signal };
  const got = await fetch(to, posts ? { ...init, body: one.body } : init);
  const type = got.headers.get('content-type')?.split(';')[0] ?? '';
  // A stream of events goes on for as long as it is read.
  const text = type === 'text/event-stream' ? '' : await got.text();
  gone.abort();
  return { status: got.status, type, text };
}

const mute = { config: z.object({}), open: async () => ({}), says: [], hears: [] };
const discovery = service({
  ...mute,
  name: 'discovery',
  answers: [
    answer(DiscoveryListV1, async () => DiscoveryListV1.reply.parse(DiscoveryListV1.example.reply)),
  ],
});
/** Answers what the ledger of this house does not. */
const ledger = service({
  ...mute,
  name: 'ledger',
  answers: [
    answer(LedgerCheckpointV1, async () => LedgerCheckpointV1.example.reply),
    answer(LedgerConsistencyV1, async () => LedgerConsistencyV1.example.reply),
    answer(LedgerHeadsV1, async () => LedgerHeadsV1.example.reply),
    answer(LedgerProofV1, async () => LedgerProofV1.example.reply),
    answer(LedgerStampsV1, async () => LedgerStampsV1.example.reply),
    answer(LedgerSignersV1, async () => LedgerSignersV1.reply.parse(LedgerSignersV1.example.reply)),
    answer(LedgerTileV1, async () => LedgerTileV1.example.reply),
  ],
});
/** What is there for anybody, and always. */
const SIMPLE = ['health', 'readCheckpoint', 'readTile'];

test('every answer to any request is one that the OpenAPI document describes', LIMIT, async (t) => {
  const { url, bus, begin } = await house(t);
  for (const answering of [discovery, ledger]) {
    const silent = openLog(answering.name, 'silent');
    const running = await start(answering, { NATS_URL: bus.url }, silent);
    t.after(() => running[Symbol.asyncDispose]());
  }
  const served = await (await fetch(new URL('/openapi.json', url))).json();
  assert.deepEqual(served, JSON.parse(JSON.stringify(document)));
  const check = checker();
  const ids = [await begin('siem'), await begin('analyst'), await begin('stranger')];
  const seen = new Map<string, Set<number>>();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, described] of Object.entries(methods)) {
      const statuses = new Set<number>();
      seen.set(described.operationId, statuses);
      const property = fc.asyncProperty(requests(described, ids), async (one) => {
        const got = await sent(new URL(filled(path, one), url), { method, described, one });
        statuses.add(got.status);
        check(path, method, got);
      });
      await fc.assert(property, { numRuns: RUNS });
    }
  }
  for (const [operation, statuses] of seen) {
    assert.ok(statuses.size > 1 || SIMPLE.includes(operation), `${operation}: ${[...statuses]}`);
  }
  assert.ok(seen.get('submitAcquisition')?.has(202), 'some orders are good');
});
