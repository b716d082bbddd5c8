// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { openLog } from '@impound/runtime/log.ts';
import { CONTAINER, NAMESPACE } from '../../drill/fleet/cluster.ts';
import { leaksIn } from './leaks.ts';
import { newSecrets, ownSecrets, signedBy, TARGET_FOLDER } from './planted.ts';
import { ANSWERS, environmentsOf, type Stage, startStage } from './planted-stage.ts';
import { seen } from './telemetry.ts';

const START_MS_MAX = 280_000;
const TEST_MS_MAX = 280_000;
const MEBIBYTE = 1_048_576;
const PATH = '/v1/acquisitions';

const secrets = newSecrets();
const over = new AbortController();
let it: Stage;
before(
  async () => {
    it = await startStage(secrets, over.signal);
  },
  { timeout: START_MS_MAX },
);
after(async () => {
  over.abort();
  await it?.[Symbol.asyncDispose]();
});

const pod = (at: number) => it.fleet.pods[at] ?? '';

function orderOf(name: string, more: object = {}): Record<string, unknown> {
  const cluster = 'lab';
  const target = `kubernetes://${cluster}/${NAMESPACE}/${name}/${CONTAINER}`;
  const about = { target, caseId: 'PLANTED-1', reason: 'a scan', profile: 'volatile' };
  return { ...about, deadlineSeconds: 100, ...more };
}

const bearer = (token: string) => ({
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
});

async function ordered(body: object, headers = bearer(secrets.token)): Promise<string> {
  const response = await it.send(PATH, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(response.status, 202);
  return ((await response.json()) as { acquisitionId: string }).acquisitionId;
}

async function ends(acquisitionId: string): Promise<string> {
  const { event } = await it.fleet.tap.ended(acquisitionId, over.signal);
  return event.type.split('.')[1] ?? '';
}

test('acquisitions that go well and badly, with secrets planted in all they touch', {
  timeout: TEST_MS_MAX,
}, async () => {
  const { fleet } = it;
  const paths = [TARGET_FOLDER];
  const body = JSON.stringify(orderOf(pod(0), { paths }));
  const post = (headers: Record<string, string>, text = body) =>
    it.send(PATH, { method: 'POST', headers, body: text });
  const good = await post(signedBy(secrets.webhook, body));
  assert.equal(good.status, 202);
  const { acquisitionId } = (await good.json()) as { acquisitionId: string };
  // Whoever has the wrong credential, or none, and bodies that are none.
  assert.equal((await post(signedBy(secrets.wrongWebhook, body))).status, 401);
  assert.equal((await post(bearer(secrets.wrongToken))).status, 401);
  const { token } = secrets;
  const odd = { ...orderOf(pod(0)), password: secrets.bodyField };
  assert.equal((await post(bearer(token), JSON.stringify(odd))).status, 422);
  assert.equal((await post(bearer(token), `{"a": ${secrets.brokenBody}`)).status, 400);
  const more = { ...bearer(token), 'x-api-key': secrets.header, cookie: `id=${secrets.header}` };
  assert.equal((await it.send(`${PATH}?token=${secrets.query}`, { headers: more })).status, 400);
  assert.equal((await it.send(`/v1/nowhere/${secrets.query}`, { headers: more })).status, 404);
  // Collections that fail, each in its own way.
  fleet.lab.inject({ kind: 'cut', afterBytes: 2_048, path: new RegExp(`/${pod(1)}/exec`) });
  const cut = await ordered(orderOf(pod(1), { paths, deadlineSeconds: 20 }));
  const damaged = orderOf(pod(0), { target: `kubernetes://damaged/${NAMESPACE}/${pod(0)}` });
  const refused = orderOf(pod(0), { target: `kubernetes://refused/${NAMESPACE}/${pod(0)}` });
  const keyed = orderOf(pod(0), { target: `kubernetes://keyed/${NAMESPACE}/${pod(0)}` });
  const failing = [damaged, refused, keyed].map((order) => ({ ...order, deadlineSeconds: 20 }));
  const broken = await Promise.all(failing.map((order) => ordered(order)));
  const waiting = await ordered(orderOf(pod(3)), bearer(secrets.otherToken));
  const cancel = { method: 'POST', headers: bearer(token), body: '{"reason":"enough"}' };
  assert.equal((await it.send(`${PATH}/${waiting}/cancel`, cancel)).status, 202);
  const large = join(fleet.lab.filesOf(NAMESPACE, pod(2), CONTAINER), 'tmp/large.bin');
  await writeFile(large, randomBytes(64 * MEBIBYTE));
  assert.equal(await ends(acquisitionId), 'sealed');
  const full = await ordered(orderOf(pod(2), { paths: ['/tmp/large.bin'] }));
  const shellless = await ordered(orderOf(pod(5)));
  const executor = fleet.victim('executor-kubernetes');
  const path = new RegExp(`/${pod(4)}/exec`);
  fleet.lab.inject({ kind: 'stall', afterBytes: 2_048, path, times: 1 });
  assert.equal(await ends(full), 'failed');
  const started = fleet.tap.next('execution.started.v1', ({ acq }) => acq === orphan);
  const orphan = await ordered(orderOf(pod(4), { paths }));
  await started;
  await executor.kill();
  for (const id of [cut, ...broken]) assert.match(await ends(id), /^(failed|expired)$/);
  assert.equal(await ends(waiting), 'cancelled');
  assert.match(await ends(shellless), /^(sealed|failed)$/);
  assert.equal(await ends(orphan), 'sealed');
  for (const id of [acquisitionId, full, cut, orphan]) {
    for (const what of [`${PATH}/${id}`, `${PATH}/${id}/chain`]) {
      assert.equal((await it.send(what, { headers: bearer(token) })).status, 200);
    }
  }
  await tryUploads();
});

/** A part with the wrong digest and a URL that is forged, at the uploader. */
async function tryUploads(): Promise<void> {
  const urls = (it.bus.get(ANSWERS) ?? []).flatMap(
    (text) => /"url":"([^"]+\/v1\/uploads\/[^"]+)"/.exec(text)?.[1] ?? [],
  );
  const [url = ''] = urls;
  const [before = '', after = ''] = url.split('?');
  const part = `${before}/parts/7?${after}`;
  const headers = { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` };
  const bodies = [part, part.replace(/sig=.{6}/, 'sig=AAAAAA')].map(async (to) => {
    const response = await fetch(to, { method: 'PUT', headers, body: secrets.fileText });
    assert.ok(response.status >= 400);
    it.answers.push(await response.text());
  });
  await Promise.all(bodies);
}

const SIGNATURE = /[?&]sig=([\w-]{20,})/g;

/** The signatures of all URLs that were handed out. */
function signatures(): readonly string[] {
  const texts = (it.bus.get(ANSWERS) ?? []).join('\n');
  return [...new Set([...texts.matchAll(SIGNATURE)].map(([, sig = '']) => sig))];
}

test('none of it is found in logs, events, questions, chains, traces, metrics, answers', {
  timeout: TEST_MS_MAX,
}, async () => {
  await seen('spans', () => it.receiver.spans.length > 100 && it.receiver.points.length > 100);
  const all = new Map([...Object.entries(secrets), ...(await ownSecrets(it.fleet))]);
  assert.ok(all.size > 25, `only ${all.size} secrets`);
  const looked = await it.places();
  for (const place of ['bus impound.v1.say', 'bus impound.v1.event', 'bus impound.v1.ask']) {
    assert.ok((looked.get(place)?.length ?? 0) > 30, place);
  }
  assert.deepEqual(leaksIn(looked, all), []);
  // A signed URL is answered to whoever asked for it, and is nowhere else.
  const signed = new Map(signatures().map((sig, at) => [`signature ${at}`, sig]));
  assert.ok(signed.size > 5, `only ${signed.size} signed URLs`);
  looked.delete(ANSWERS);
  assert.deepEqual(leaksIn(looked, signed), []);
});

test('only the service that needs a secret has it in its environment', async () => {
  const mine = new Map([
    ['signing key', secrets.signingKey],
    ['password of the ledger', it.fleet.database.now().password('ledger_writer')],
  ]);
  const found = leaksIn(await environmentsOf(it.fleet), mine);
  assert.deepEqual(found, ['password of the ledger in ledger-1', 'signing key in uploader-1']);
});

test('the evidence does hold what was planted in the target', async () => {
  const folder = join(it.fleet.storeDir);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  );
  const texts = files.map(async (file) => {
    const bytes = await readFile(join(file.parentPath, file.name));
    return await promisify(zstdDecompress)(bytes).catch(() => bytes);
  });
  const { fileText, fileName, variable } = secrets;
  const wanted = new Map(Object.entries({ fileText, fileName, variable }));
  const found = leaksIn(new Map([['evidence', await Promise.all(texts)]]), wanted);
  assert.deepEqual(
    found,
    [...wanted.keys()].toSorted().map((name) => `${name} in evidence`),
  );
});

test('a leak that is planted in each of these places is found', async () => {
  const piece = secrets.fileName.slice(4, 20);
  const encoded = Buffer.from(`xx${secrets.variable}`).toString('base64');
  it.fleet.watcher.publish('impound.v1.progress.default.planted', `{"phase":"${piece}"}`);
  await seen('the message', () => it.bus.get('bus impound.v1.progress')?.join('').includes(piece));
  const lines: string[] = [];
  const log = openLog('planted', 'debug', { write: (line) => void lines.push(line) });
  log.debug('leaking', { because: `cannot read ${encoded}` });
  log.debug('hidden', { because: `Bearer ${secrets.token}` });
  const reason = Buffer.from(secrets.bodyField).toString('hex');
  await ordered(orderOf('nowhere', { reason }));
  const all = new Map(Object.entries(secrets));
  const found = await seen('the entry', async () => {
    const leaks = leaksIn((await it.places()).set('a log', lines), all);
    return leaks.some((leak) => leak.includes('the chains')) && leaks;
  });
  for (const leak of [
    'fileName in bus impound.v1.progress',
    'variable in a log',
    'bodyField in the chains',
    'bodyField in bus impound.v1.say',
  ]) {
    assert.ok(found.includes(leak), `${leak}, of ${found.join('; ')}`);
  }
  assert.equal(
    found.some((leak) => leak.startsWith('token ')),
    false,
  );
});
