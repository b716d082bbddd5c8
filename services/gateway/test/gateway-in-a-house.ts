// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Entry } from '@impound/contracts/entry.ts';
import type { Log } from '@impound/runtime/log.ts';
import { start } from '@impound/runtime/start.ts';
import { testBus } from '@impound/runtime/testing/bus.ts';
import { scriptedLedger } from '@impound/runtime/testing/scripted-ledger.ts';
import { gateway } from '../src/service.ts';

/** Tests here start a bus each. */
export const LIMIT = { timeout: 120_000 };

/** Tokens by who has them. */
export const TOKEN = {
  siem: 'token-of-the-integration',
  analyst: 'token-of-the-analyst',
  lead: 'token-of-the-lead',
  stranger: 'token-of-another-tenant',
} as const;

/** What all of them may, unless a test says otherwise. */
const FREE = {
  tenant: 'default',
  clusters: ['*'],
  namespaces: ['*'],
  mayReadEvidence: true,
  // Tests send as fast as they can.
  limits: { requestsPerSecond: 1_000 },
};

function known(id: keyof typeof TOKEN, more: object): object {
  return { id, ...FREE, credentials: [tokenCredential(TOKEN[id])], ...more };
}

/** A token as the file of the integrations keeps it. */
export function tokenCredential(token: string, more: object = {}): object {
  const sha256 = createHash('sha256').update(token).digest('hex');
  return { kind: 'token', id: 'key-1', sha256, ...more };
}

const EVERYBODY: readonly object[] = [
  known('siem', { kind: 'integration', approval: 'never' }),
  known('analyst', { kind: 'person', mayApprove: true }),
  known('lead', { kind: 'person', mayApprove: true }),
  known('stranger', { kind: 'person', tenant: 'other', mayApprove: true, approval: 'never' }),
];

/** A file of integrations that ends with the test, and how to change it. */
export async function integrationsFile(t: TestContext, more: readonly object[] = []) {
  const folder = await mkdtemp(join(tmpdir(), 'impound-gateway-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'integrations.json');
  const write = async (integrations: readonly object[], changes: readonly object[] = []) => {
    await writeFile(`${file}.next`, JSON.stringify({ version: 1, integrations, changes }), {
      mode: 0o600,
    });
    await rename(`${file}.next`, file);
  };
  await write([...EVERYBODY, ...more]);
  return { file, write: (others: readonly object[]) => write([...EVERYBODY, ...others]) };
}

/** An order that is right. */
export const ORDER = {
  target: 'kubernetes://prod-eu/shop/cart-7f9c/cart',
  caseId: 'IR-2026-017',
  reason: 'Falco: a shell was started in a web server',
};

/** A gateway with its bus and a scripted ledger, and whoever else may come in. */
export async function house(
  t: TestContext,
  more: readonly object[] = [],
  environment: Record<string, string> = {},
) {
  const integrations = await integrationsFile(t, more);
  const bus = await testBus(t);
  const ledger = await scriptedLedger(t, bus.url, ['gateway']);
  const lines: string[] = [];
  let listening = Promise.withResolvers<string>();
  const write = (phrase: string, fields: object = {}) => {
    lines.push(phrase + JSON.stringify(fields));
    if (phrase === 'gateway listening') listening.resolve((fields as { url: string }).url);
  };
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const given = { NATS_URL: bus.url, INTEGRATIONS_FILE: integrations.file, ...environment };
  let running = await start(gateway, given, log);
  t.after(() => running[Symbol.asyncDispose]());
  const url = await listening.promise;
  const restart = async () => {
    await running[Symbol.asyncDispose]();
    listening = Promise.withResolvers();
    running = await start(gateway, given, log);
  };
  return { bus, ledger, url, lines, integrations, restart, ...client(url) };
}

function client(url: string) {
  const ask = (path: string, init: RequestInit = {}, who: keyof typeof TOKEN = 'siem') => {
    const headers = new Headers({ authorization: `Bearer ${TOKEN[who]}` });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    return fetch(new URL(path, url), { ...init, headers });
  };
  const post = (
    path: string,
    body: unknown,
    who: keyof typeof TOKEN = 'siem',
    headers: Record<string, string> = {},
  ) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const typed = { 'content-type': 'application/json', ...headers };
    return ask(path, { method: 'POST', body: text, headers: typed }, who);
  };
  const begin = async (who: keyof typeof TOKEN = 'siem', order: object = ORDER) => {
    const answer = await post('/v1/acquisitions', order, who);
    assert.equal(answer.status, 202, await answer.clone().text());
    return ((await answer.json()) as { acquisitionId: string }).acquisitionId;
  };
  return { ask, post, begin };
}

/** Checks that an answer is problem+json (RFC 9457), and gives it. */
export async function problemOf(answer: Response, status: number, code: string) {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text) as {
    type: string;
    title: string;
    status: number;
    detail: string;
    errors?: { path: string }[];
  };
  assert.equal(problem.type, `urn:impound:problem:${code}`);
  assert.equal(problem.status, status);
  assert.ok(problem.title.length > 0 && problem.detail.length > 0);
  return problem;
}

/** Who asked, as the first entry of a chain has it. */
export function requester(chain: readonly Entry[]): unknown {
  return chain[0]?.event.data['requestedBy'];
}
