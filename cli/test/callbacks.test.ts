// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { impound } from './command-line.ts';

const IDS = [
  '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01',
  '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d02',
] as const;
const AT = '2026-11-23T09:15:00.000000Z';

/** A gateway that has these callbacks, one on a page, and writes down what is asked of it. */
async function gateway(t: TestContext, ids: readonly string[]) {
  const posts: string[] = [];
  const pages = [...ids.map((acquisitionId) => [{ ...GIVEN_UP, acquisitionId }]), []];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '', 'http://gateway');
    if (request.method === 'POST') posts.push(`${url.pathname} ${Buffer.concat(chunks)}`);
    const page = Number(url.searchParams.get('after')) + 1;
    const next = page < ids.length ? { next: page } : {};
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ callbacks: pages[page] ?? [], ...next }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'impound-callbacks-'));
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'token');
  await writeFile(file, 'a-token-of-a-lead', { mode: 0o600 });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = (...args: string[]) =>
    impound(['callbacks', ...args, '--url', url, '--token-file', file, '--json']);
  return { posts, run };
}

const GIVEN_UP = { about: 'e-1', attempt: 8, because: 'it answered 503', at: AT };

test('callbacks that are given up are listed, page by page', async (t) => {
  const { run } = await gateway(t, IDS);
  const { code, values, err } = await run('list');
  assert.equal(code, 0, err);
  assert.deepEqual(
    values.map((value) => value['acquisitionId']),
    IDS,
  );
});

test('all of them are sent again with the reason, or those that are named', async (t) => {
  const { run, posts } = await gateway(t, IDS);
  const all = await run('send', 'all', '--reason', 'it works again');
  assert.equal(all.code, 0, all.err);
  const post = (id: string) => `/v1/acquisitions/${id}/call-back {"reason":"it works again"}`;
  assert.deepEqual(posts, IDS.map(post));
  posts.length = 0;
  const one = await run('send', IDS[1], '--reason', 'it works again');
  assert.equal(one.code, 0, one.err);
  assert.deepEqual(posts, [post(IDS[1])]);
});

test('what is no acquisition, or has no reason, is refused before anything is asked', async (t) => {
  const { run, posts } = await gateway(t, []);
  const wrong = [[], ['send'], ['list', 'x'], ['send', 'x', '--reason', 'r'], ['send', 'all']];
  for (const args of [...wrong, ['send', 'all', IDS[0], '--reason', 'r']]) {
    assert.equal((await run(...args)).code, 2, args.join(' '));
  }
  assert.deepEqual(posts, []);
});
