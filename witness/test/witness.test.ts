// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openLog } from '@impound/runtime/log.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { openCheckpoint } from '@impound/transparency/checkpoint.ts';
import { someLeaves } from '@impound/transparency/testing/naive.ts';
import { type PaperLog, paperLog } from '@impound/transparency/testing/paper-log.ts';
import { formatVkey, parseVkey } from '@impound/transparency/vkey.ts';
import { initWitness } from '../src/init.ts';
import { openWitness } from '../src/witness.ts';

const NAME = 'witness.example.net/1';
const ORIGIN = 'ledger.example.org/custody/1';

const open = async (t: TestContext, logs: readonly PaperLog[]) => {
  const directory = await mkdtemp(join(tmpdir(), 'impound-witness-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const vkey = parseVkey(await initWitness(directory, NAME));
  return { directory, vkey, start: () => start(t, directory, logs) };
};

async function start(t: TestContext, directory: string, logs: readonly PaperLog[]) {
  const scope = new AsyncDisposableStack();
  t.after(() => scope.disposeAsync());
  const config = {
    WITNESS_NAME: NAME,
    WITNESS_KEY: new Secret(await readFile(join(directory, 'key.pem'), 'utf8')),
    LOGS: `# our logs\n${logs.map((log) => formatVkey(log.vkey)).join('\n')}\n`,
    STATE_FILE: join(directory, 'state.json'),
    HOST: '127.0.0.1',
    PORT: 0,
    HEALTH_PORT: 0,
    LOG_LEVEL: 'silent',
  } as const;
  const { port } = await openWitness(config, openLog('witness', 'silent'), scope);
  const url = `http://127.0.0.1:${port}`;
  const add = async (body: string | Buffer) => {
    const init = { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body) };
    const answer = await fetch(`${url}/add-checkpoint`, init);
    const type = answer.headers.get('content-type');
    return { status: answer.status, text: await answer.text(), type };
  };
  return { url, add, stop: () => scope.disposeAsync() };
}

/** The body of add-checkpoint. */
async function growth(log: PaperLog, old: number, size: number): Promise<string> {
  const path = old <= size ? await log.consistency(old, size) : [];
  const lines = path.map((hash) => `${hash.toString('base64')}\n`).join('');
  return `old ${old}\n${lines}\n${await log.note(size)}`;
}

test('a log that grows is cosigned, and the cosigned checkpoint is there for monitors', async (t) => {
  const log = paperLog(ORIGIN, someLeaves(1_001, 'entry'));
  const { vkey, start } = await open(t, [log]);
  const { url, add } = await start();
  const address = `${url}/${createHash('sha256').update(ORIGIN).digest('hex')}/checkpoint`;
  assert.equal((await fetch(address)).status, 404);
  let old = 0;
  for (const size of [0, 1, 256, 500, 500, 1_001]) {
    const { status, text } = await add(await growth(log, old, size));
    assert.equal(status, 200, `${old} to ${size}: ${text}`);
    const note = Buffer.from((await log.note(size)) + text);
    const cosigned = openCheckpoint(note, [log.vkey, vkey]);
    const time = cosigned.verified.find(({ key }) => key.name === NAME)?.time ?? 0n;
    assert.ok(Math.abs(Number(time) - Date.now() / 1_000) < 3_600, `signed at ${time}`);
    assert.equal(await (await fetch(address)).text(), note.toString());
    old = size;
  }
});

test('what a log must not do is refused by the status that tlog-witness names', async (t) => {
  const log = paperLog(ORIGIN, someLeaves(1_001, 'entry'));
  const fork = paperLog(ORIGIN, someLeaves(1_200, 'forked'), log);
  const { start } = await open(t, [log]);
  const { add } = await start();
  assert.equal((await add(await growth(log, 0, 1_001))).status, 200);
  const refused = async (status: number, body: string | Buffer, text = /./) => {
    const answer = await add(body);
    assert.deepEqual([answer.status], [status], answer.text);
    assert.match(answer.text, text);
    return answer;
  };
  const rolledBack = await refused(409, await growth(log, 500, 1_000), /^1001\n$/);
  assert.equal(rolledBack.type, 'text/x.tlog.size');
  await refused(409, await growth(log, 0, 0), /^1001\n$/);
  await refused(400, await growth(log, 1_001, 1_000));
  await refused(422, await growth(fork, 1_001, 1_200));
  await refused(422, await growth(fork, 1_001, 1_001));
  const stranger = paperLog(ORIGIN, log.entries);
  await refused(403, await growth(stranger, 1_001, 1_001));
  await refused(404, await growth(paperLog('other.example.org', log.entries), 0, 1_001));
  const good = await growth(log, 1_001, 1_001);
  const forged = good.replace(/.(?=.{8}\n$)/, (letter) => (letter === 'A' ? 'B' : 'A'));
  assert.notEqual(forged, good);
  await refused(403, forged, /is not over this text/);
  assert.equal((await add(good)).status, 200);
});

for (const [what, change] of [
  ['no old line', (body: string) => body.slice('old 0\n'.length)],
  ['a size with a leading zero', (body: string) => body.replace('old 0', 'old 00')],
  ['a size beyond 64 bits', (body: string) => body.replace('old 0', `old ${'9'.repeat(30)}`)],
  ['a carriage return', (body: string) => body.replace('old 0\n', 'old 0\r\n')],
  ['a proof line that is no hash', (body: string) => body.replace('\n\n', '\nAAAA\n\n')],
  [
    '64 proof lines',
    (body: string) => body.replace('\n\n', `${`\n${'A'.repeat(43)}=`.repeat(64)}\n\n`),
  ],
  ['no signature', (body: string) => body.slice(0, body.indexOf('\u2014'))],
  ['no final newline', (body: string) => body.slice(0, -1)],
  ['more than a note may have', (body: string) => body + 'x'.repeat(140_000)],
  ['nothing', () => ''],
] as const) {
  test(`a request with ${what} is refused as malformed, and the witness goes on`, async (t) => {
    const log = paperLog(ORIGIN, someLeaves(10, 'entry'));
    const { start } = await open(t, [log]);
    const { add } = await start();
    const body = await growth(log, 0, 10);
    assert.equal((await add(change(body))).status, 400);
    assert.equal((await add(body)).status, 200);
  });
}

test('a proof from size zero that is not empty is refused, as is a wrong root of nothing', async (t) => {
  const log = paperLog(ORIGIN, someLeaves(10, 'entry'));
  const { start } = await open(t, [log]);
  const { add } = await start();
  const body = await growth(log, 0, 10);
  const hash = Buffer.alloc(32).toString('base64');
  assert.equal((await add(body.replace('old 0\n', `old 0\n${hash}\n`))).status, 422);
});

test('what was cosigned is remembered by the next process, and two do not share a memory', async (t) => {
  const log = paperLog(ORIGIN, someLeaves(600, 'entry'));
  const { start } = await open(t, [log]);
  const first = await start();
  assert.equal((await first.add(await growth(log, 0, 300))).status, 200);
  const second = await start();
  assert.equal((await second.add(await growth(log, 0, 300))).text, '300\n');
  assert.equal((await second.add(await growth(log, 300, 400))).status, 200);
  assert.equal((await first.add(await growth(log, 300, 500))).status, 500);
  await second.stop();
  await first.stop();
  const third = await start();
  assert.equal((await third.add(await growth(log, 300, 500))).text, '400\n');
});

test('of two requests at once from one size, one is cosigned and the other told the new size', async (t) => {
  const log = paperLog(ORIGIN, someLeaves(600, 'entry'));
  const { start } = await open(t, [log]);
  const { add } = await start();
  assert.equal((await add(await growth(log, 0, 100))).status, 200);
  const sizes = [200, 300, 400, 500, 600];
  const bodies = await Promise.all(sizes.map((size) => growth(log, 100, size)));
  const answers = await Promise.all(bodies.map(add));
  const statuses = answers.map(({ status }) => status).toSorted();
  assert.deepEqual(statuses, [200, 409, 409, 409, 409]);
});

test('without its memory, or with a broken one, a witness does not start', async (t) => {
  const log = paperLog(ORIGIN, someLeaves(10, 'entry'));
  const { directory, start } = await open(t, [log]);
  await assert.rejects(initWitness(directory, NAME), { code: 'EEXIST' });
  const file = join(directory, 'state.json');
  await writeFile(file, '{"v":1,"logs":{"x":{"size":"-1","root":"","note":""}}}');
  await assert.rejects(start(), { code: 'state-malformed' });
  await rm(file);
  await assert.rejects(start(), { code: 'state-missing' });
});
