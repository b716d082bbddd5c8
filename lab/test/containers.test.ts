// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startCluster } from '../src/cluster.ts';
import { DEMO_COLLECTOR, DEMO_STRANGER, DEMO_TARGET, demoScenario } from '../src/scenarios.ts';
import { ask, execToEnd, open, startExec } from './exec-client.ts';
import { until } from './until.ts';

const { namespace, pod, container } = DEMO_TARGET;
const POD_PATH = `/api/v1/namespaces/${namespace}/pods`;
const PAYMENTS = 'payments-84c5d7f6b-d1str';

let lab: Lab;
before(async () => {
  lab = await startCluster(demoScenario());
});
after(async () => await lab[Symbol.asyncDispose]());

async function get(path: string, account = 'admin') {
  const answer = await ask(lab, { path, token: lab.token(account) });
  return { status: answer.status, body: JSON.parse(answer.text) };
}

async function output(...command: string[]): Promise<string> {
  const { exec } = await execToEnd(lab, command, { namespace, pod, container });
  return exec.output(1).toString();
}

test('every pod of the demo is in the phase it is meant to be in', async () => {
  const { body } = await get('/api/v1/pods');
  const phases = body.items.map(
    (one: { metadata: { name: string }; status: { phase: string } }) => [
      one.metadata.name.split('-')[0],
      one.status.phase,
    ],
  );
  assert.deepEqual(phases, [
    ['coredns', 'Running'],
    ['kube', 'Running'],
    ['cart', 'Running'],
    ['migrate', 'Succeeded'],
    ['payments', 'Running'],
    ['search', 'Pending'],
    ['storefront', 'Running'],
  ]);
});

test('a process that runs from a deleted binary is there, and its environment can be read', async () => {
  const find = 'for p in /proc/[0-9]*; do readlink $p/exe; tr "\\0" "\\n" <$p/environ; done';
  const seen = await output('sh', '-c', find);
  assert.match(seen, /\/dev\/shm\/\.update \(deleted\)/);
  assert.match(seen, /C2_HOST=203\.0\.113\.66/);
  assert.match(seen, /LD_PRELOAD_HIDE=/);
});

test('files are the same bytes inside and on the host', async () => {
  for (const path of ['/tmp/.x/xmrig', '/var/log/cart/access.log', '/root/.ssh/authorized_keys']) {
    const file = readFileSync(join(lab.filesOf(namespace, pod, container), path));
    const sum = createHash('sha256').update(file).digest('hex');
    assert.equal(await output('sha256sum', path), `${sum}  ${path}\n`);
  }
});

test('a container sees neither processes nor mounts of the host', async () => {
  const pids = (await output('sh', '-c', 'echo /proc/[0-9]*')).trim().split(' ');
  assert.ok(pids.length < 15, pids.join(' '));
  const mounts = await output('cat', '/proc/mounts');
  assert.ok(!mounts.includes('/pods/'), mounts);
  assert.match(mounts, /^\S+ \/ /);
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes('impound-lab'));
  assert.equal((await output('hostname')).trim(), pod);
});

test('an owner chain leads from the pod to its Deployment', async () => {
  const { body } = await get(`${POD_PATH}/${pod}`);
  const owner = body.metadata.ownerReferences[0];
  const replicas = await get(`/apis/apps/v1/namespaces/shop/replicasets/${owner.name}`);
  assert.equal(replicas.body.metadata.uid, owner.uid);
  assert.equal(replicas.body.metadata.ownerReferences[0].name, 'cart');
});

test('the audit names who asked for what and what came of it', async () => {
  const from = lab.audit.length;
  await get(`${POD_PATH}/${pod}`, DEMO_COLLECTOR);
  await get('/api/v1/secrets', DEMO_COLLECTOR);
  await get(`${POD_PATH}/${pod}`, DEMO_STRANGER);
  await until(() => lab.audit.length >= from + 3);
  const seen = lab.audit.slice(from).map((one) => `${one.account} ${one.path} ${one.status}`);
  assert.deepEqual(seen, [
    `${DEMO_COLLECTOR} ${POD_PATH}/${pod} 200`,
    `${DEMO_COLLECTOR} /api/v1/secrets 403`,
    `${DEMO_STRANGER} ${POD_PATH}/${pod} 403`,
  ]);
});

test('an ephemeral container beside a shell-less one reads its files through PID 1', async () => {
  const command = ['/bin/sh', '-c', 'echo $$$$ >/tmp/main.pid; echo ready; exec sleep 1000'];
  const body = {
    spec: {
      ephemeralContainers: [
        { name: 'debug', image: 'busybox:1', command, targetContainerName: 'payments' },
      ],
    },
  };
  const path = `${POD_PATH}/${PAYMENTS}`;
  const answer = await ask(lab, {
    method: 'PATCH',
    path: `${path}/ephemeralcontainers`,
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
    body,
    token: lab.token(DEMO_COLLECTOR),
  });
  assert.equal(answer.status, 200, answer.text);
  await until(async () => {
    const { status } = (await get(path)).body;
    return status.ephemeralContainerStatuses?.[0]?.state.running !== undefined;
  });
  const token = lab.token('admin');
  const log = async () => (await ask(lab, { path: `${path}/log?container=debug`, token })).text;
  await until(async () => (await log()) === 'ready\n');
  const at = { namespace, pod: PAYMENTS, container: 'debug' };
  const read = 'cat /proc/1/root/app/config.json; readlink /proc/1/exe; cat /tmp/main.pid';
  const { exec } = await execToEnd(lab, ['sh', '-c', read], at);
  const [config, program, pid] = exec.output(1).toString().trim().split('\n');
  assert.equal(config, '{"provider":"example"}');
  assert.equal(program, '/app/server');
  assert.ok(Number(pid) > 1, pid);
});

test('a watch tells the end of a pod that is deleted', async () => {
  const path = `${POD_PATH}?watch=true&labelSelector=app%3Dstorefront`;
  const watching = await open(lab, { path, token: lab.token('admin') });
  const types: string[] = [];
  for await (const line of createInterface({ input: watching })) {
    types.push(JSON.parse(line).type);
    if (types.length === 1) await lab.deletePod('shop', 'storefront-6b8d9f7c4-m3n5p');
    if (types.at(-1) === 'DELETED') break;
  }
  watching.destroy();
  assert.equal(types[0], 'ADDED');
  assert.equal(types.at(-1), 'DELETED');
  assert.equal((await get(`${POD_PATH}/storefront-6b8d9f7c4-m3n5p`)).status, 404);
});

test('a kubeconfig holds the account, the authority and the address', () => {
  const text = lab.kubeconfig(DEMO_COLLECTOR);
  assert.ok(text.includes(lab.url));
  assert.ok(text.includes(lab.token(DEMO_COLLECTOR)));
  assert.ok(text.includes(Buffer.from(lab.authority).toString('base64')));
});

test('faults strike as often as they are told, and where', async () => {
  const path = `${POD_PATH}/${pod}`;
  const ask429 = { kind: 'answer', status: 429, retryAfterSeconds: 3, times: 1 } as const;
  using busy = lab.inject({ ...ask429, path: /pods/ });
  const first = await ask(lab, { path, token: lab.token('admin') });
  assert.equal(first.status, 429);
  assert.equal(first.headers['retry-after'], '3');
  assert.equal((await get(path)).status, 200);
  assert.equal(busy.hits, 1);
  using garbage = lab.inject({ kind: 'garbage', path: /pods/ });
  const broken = await ask(lab, { path, token: lab.token('admin') });
  assert.throws(() => JSON.parse(broken.text), SyntaxError);
  assert.equal(garbage.hits, 1);
});

for (const [kind, code, sent] of [
  ['cut', 1006, 100_000],
  ['close-without-status', 1000, 100_000],
  ['stall', undefined, 100_000],
] as const) {
  test(`an exec struck by ${kind} has part of the output and no status`, async () => {
    using _fault = lab.inject({ kind, afterBytes: sent, path: /\/exec/, times: 1 });
    const exec = startExec(lab, {
      path: `${POD_PATH}/${pod}/exec`,
      query: { container, command: ['head', '-c', '1000000', '/dev/zero'], stdout: 'true' },
      token: lab.token(DEMO_COLLECTOR),
    });
    if (code === undefined) await until(() => exec.output(1).length >= sent);
    const end = await (code === undefined ? Promise.race([exec.ended, sleep(600)]) : exec.ended);
    assert.equal(end !== undefined && 'code' in end ? end.code : undefined, code);
    assert.ok(exec.output(1).length <= sent);
    if (kind !== 'cut') assert.equal(exec.output(1).length, sent);
    assert.equal(exec.output(3).length, 0);
    exec.socket.terminate();
  });
}

test('an exec that is paused goes on where it was, and the audit tells when it was over', async () => {
  const goOn = Promise.withResolvers<void>();
  const paused = Promise.withResolvers<void>();
  using _fault = lab.inject({
    ...{ kind: 'pause', afterBytes: 100_000, path: /\/exec/, times: 1 },
    reached: paused.resolve,
    until: goOn.promise,
  });
  const exec = startExec(lab, {
    path: `${POD_PATH}/${pod}/exec`,
    query: { container, command: ['head', '-c', '1000000', '/dev/zero'], stdout: 'true' },
    token: lab.token(DEMO_COLLECTOR),
  });
  await paused.promise;
  assert.equal(lab.audit.at(-1)?.overMs, undefined);
  goOn.resolve();
  await exec.ended;
  assert.equal(exec.output(1).length, 1_000_000);
  const { atMs = 0, overMs = 0 } = lab.audit.at(-1) ?? {};
  assert.ok(atMs > 0 && overMs >= atMs, `${atMs} to ${overMs}`);
});

test('a read-only root can be written in /dev/shm and nowhere else', async () => {
  const sealed = { name: 'app', image: 'x', flavor: 'debian', readOnlyRoot: true } as const;
  await using own = await startCluster({
    namespaces: [{ name: 'shop', pods: [{ name: 'web', containers: [sealed] }] }],
  });
  const script = 'touch /tmp/x; echo $?; touch /dev/shm/x; echo $?';
  const { exec } = await execToEnd(own, ['sh', '-c', script]);
  assert.equal(exec.output(1).toString(), '1\n0\n');
});

test('nothing is left when a cluster is disposed', async () => {
  const app = { name: 'app', image: 'x', flavor: 'debian' } as const;
  const own = await startCluster({
    namespaces: [{ name: 'shop', pods: [{ name: 'web', containers: [app] }] }],
  });
  const pid = own.pidOf('shop', 'web', 'app');
  const files = own.filesOf('shop', 'web', 'app');
  await own[Symbol.asyncDispose]();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  assert.throws(() => execFileSync('ls', [files], { stdio: 'ignore' }));
});
