// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { AcquisitionAssignedV1 } from '@impound/contracts/acquisition/assigned.v1.ts';
import { AcquisitionRequestedV1 } from '@impound/contracts/acquisition/requested.v1.ts';
import { UploaderOpenV1 } from '@impound/contracts/ask/uploader.open.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import { asker } from '@impound/runtime/ask.ts';
import { newId } from '@impound/runtime/ids.ts';
import { openLog } from '@impound/runtime/log.ts';
import { start } from '@impound/runtime/start.ts';
import { testBus } from '@impound/runtime/testing/bus.ts';
import { scriptedLedger } from '@impound/runtime/testing/scripted-ledger.ts';
import { connect } from '@nats-io/transport-node';
import { formatDigest } from '../src/domain/content-digest.ts';
import { uploader } from '../src/service.ts';

const WORKER = 'k8s-1-7f3a';
const SIGNING_KEY = 'a key of thirty-two bytes or more';
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
export const bytesOf = (text: string, times = 1) => Buffer.from(text.repeat(times));

/** An uploader with its bus and ledger, and one claimed epoch of one acquisition. */
export async function house(t: TestContext, more: Record<string, string> = {}) {
  const bus = await testBus(t);
  const ledger = await scriptedLedger(t, bus.url, ['uploader']);
  const directory = await mkdtemp(join(tmpdir(), 'impound-store-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const environment = {
    NATS_URL: bus.url,
    STORE_URL: pathToFileURL(directory).href,
    SIGNING_KEY,
    ...more,
  };
  const run = () => start(uploader, environment, openLog('uploader', 'silent'));
  let running = await run();
  const restart = async () => {
    await running[Symbol.asyncDispose]();
    running = await run();
  };
  t.after(() => running[Symbol.asyncDispose]());
  const connection = await connect({ servers: bus.url });
  t.after(() => connection.close());
  const ask = asker(connection);
  const acquisitionId = newId();
  const record = (contract: typeof AcquisitionRequestedV1 | never, data: object) =>
    ledger.record({ contract, data: data as never, acquisitionId });
  await record(AcquisitionRequestedV1, AcquisitionRequestedV1.example);
  await record(AcquisitionAssignedV1 as never, AcquisitionAssignedV1.example);
  await record(ExecutionStartedV1 as never, ExecutionStartedV1.example);
  const of = {
    tenant: 'default',
    acquisitionId,
    set: 'e1',
    name: 'manifest.jsonl',
    worker: WORKER,
  };
  const open = async (changes: object = {}) =>
    (await ask(UploaderOpenV1, { ...of, ...changes } as never, t.signal)).url;
  return {
    ledger,
    directory,
    restart,
    ask,
    acquisitionId,
    record,
    open,
    key: keyOf(acquisitionId),
  };
}

const keyOf = (acquisitionId: string) => (set: string, name: string) =>
  `default/${acquisitionId}/${set}/${name}`;

export function at(url: string, path: string): string {
  const target = new URL(url);
  target.pathname += path;
  return target.href;
}

export function put(url: string, number: number | string, body: Uint8Array, digest = sha256(body)) {
  const headers = { 'content-digest': formatDigest(digest) };
  return fetch(at(url, `/parts/${number}`), { method: 'PUT', body: Buffer.from(body), headers });
}

export function complete(url: string, whole: object) {
  return fetch(at(url, '/complete'), { method: 'POST', body: JSON.stringify(whole) });
}

export async function upload(url: string, ...parts: readonly Uint8Array[]) {
  for (const [index, part] of parts.entries()) {
    assert.equal((await put(url, index + 1, part)).status, 204);
  }
  const all = Buffer.concat(parts);
  const whole = { parts: parts.length, bytes: all.length, sha256: sha256(all) };
  const answer = await complete(url, whole);
  assert.equal(answer.status, 200);
  const { object } = (await answer.json()) as { object: { key: string; sha256: string } };
  return { object, whole };
}

export async function problemOf(answer: Response, status: number, code: string): Promise<string> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(text) as { type: string; status: number; detail: string };
  assert.equal(problem.type, `urn:impound:problem:${code}`);
  assert.equal(problem.status, status);
  assert.ok(problem.detail.length > 0);
  return problem.detail;
}

export const LIMIT = { timeout: 120_000 };
