// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startCluster } from '../src/cluster.ts';
import { type Exec, execToEnd, startExec } from './exec-client.ts';
import { recordedCluster } from './recorded-cluster.ts';
import { until } from './until.ts';

const BULK_BYTES = 100 * 1024 * 1024;
const FRAME_BYTES_MAX = 32_768;

let lab: Lab;
before(async () => {
  const { namespaces, ...rest } = recordedCluster();
  const wanted = new Set(['web', 'single', 'victim']);
  const pods = namespaces[0]?.pods?.filter((pod) => wanted.has(pod.name)) ?? [];
  lab = await startCluster({ ...rest, namespaces: [{ name: 'shop', pods }] });
});
after(async () => await lab[Symbol.asyncDispose]());

function exec(command: readonly string[], stdin = false, protocol = 'v5.channel.k8s.io'): Exec {
  return startExec(lab, {
    path: '/api/v1/namespaces/shop/pods/web/exec',
    query: { container: 'app', command, stdout: 'true', stderr: 'true', stdin: String(stdin) },
    token: lab.token('admin'),
    protocols: [protocol],
  });
}

async function opened(one: Exec): Promise<void> {
  await new Promise((resolve) => one.socket.once('open', resolve));
}

function write(one: Exec, data: Buffer): void {
  one.socket.send(Buffer.concat([Buffer.from([0]), data]));
}

const HALF_CLOSE = Buffer.from([255, 0]);

for (const protocol of ['v5.channel.k8s.io', 'v4.channel.k8s.io']) {
  test(`100 MiB of random bytes arrive whole and in order with ${protocol}`, async () => {
    const hash = createHash('sha256');
    const command = `head -c ${BULK_BYTES} /dev/urandom | tee /tmp/big; sync`;
    const one = exec(['sh', '-c', command], false, protocol);
    let bytes = 0;
    let largest = 0;
    one.socket.on('message', (data: Buffer) => {
      if (data[0] !== 1) return;
      hash.update(data.subarray(1));
      bytes += data.length - 1;
      largest = Math.max(largest, data.length - 1);
    });
    const end = await one.ended;
    assert.deepEqual(end, { code: 1000, protocol });
    assert.equal(bytes, BULK_BYTES);
    assert.ok(largest <= FRAME_BYTES_MAX, `a frame of ${largest} bytes`);
    const file = readFileSync(join(lab.filesOf('shop', 'web', 'app'), 'tmp/big'));
    assert.equal(hash.digest('hex'), createHash('sha256').update(file).digest('hex'));
  });
}

test('a client that does not read stops the process in the container', async () => {
  const one = exec(['sh', '-c', 'exec dd if=/dev/zero bs=65536 of=/dev/stdout 2>/dev/null']);
  await opened(one);
  one.socket.pause();
  const written = async (): Promise<number> => {
    const command =
      'for p in /proc/[0-9]*; do read -r n <$p/comm; [ "$n" = dd ] && cat $p/io; done';
    const { exec: told } = await execToEnd(lab, ['sh', '-c', command]);
    return Number(/wchar: (\d+)/.exec(told.output(1).toString())?.[1] ?? -1);
  };
  // A pipe and two sockets fill up first.
  const stuck = await until(async () => {
    const before = await written();
    await sleep(500);
    return before > 0 && before === (await written()) ? before : undefined;
  });
  one.socket.terminate();
  assert.ok(stuck < 64 * 1024 * 1024, `${stuck} bytes on the way`);
});

test('8 MiB of input arrive whole when stdin is closed by a half-close', async () => {
  const data = randomBytes(8 * 1024 * 1024);
  const one = exec(['sha256sum'], true);
  await opened(one);
  for (let at = 0; at < data.length; at += 1024 * 1024)
    write(one, data.subarray(at, at + 1024 * 1024));
  one.socket.send(HALF_CLOSE);
  await one.ended;
  const sum = createHash('sha256').update(data).digest('hex');
  assert.equal(one.output(1).toString(), `${sum}  -\n`);
});

test('one message of 16 MiB is taken and one of 33 MiB breaks the connection', async () => {
  for (const [mebibytes, whole] of [
    [16, true],
    [33, false],
  ] as const) {
    const data = randomBytes(mebibytes * 1024 * 1024);
    const one = exec(['sha256sum'], true);
    await opened(one);
    write(one, data);
    one.socket.send(HALF_CLOSE);
    await one.ended;
    const sum = createHash('sha256').update(data).digest('hex');
    assert.equal(one.output(1).toString().startsWith(sum), whole);
    assert.equal(one.output(3).length > 0, whole);
  }
});

test('a command that ends without reading much input never gets a status', async () => {
  for (const [chunks, status] of [
    [2, true],
    [40, false],
  ] as const) {
    const one = exec(['sh', '-c', 'sleep 0.3; echo done'], true);
    await opened(one);
    for (let index = 0; index < chunks; index += 1) write(one, Buffer.alloc(32_768));
    await until(() => one.output(1).length > 0);
    await (status ? one.ended : Promise.race([one.ended, sleep(1_500)]));
    assert.equal(one.output(1).toString(), 'done\n');
    assert.equal(one.output(3).length > 0, status);
    one.socket.terminate();
  }
});

test('a command that gives up its stdout loses its stdin, and says Success', async () => {
  for (const [command, whole] of [
    ['exec cat >/tmp/up', false],
    ['cat >/tmp/up; true', true],
  ] as const) {
    const one = exec(['sh', '-c', command], true);
    await opened(one);
    let sent = 0;
    while (one.socket.readyState === one.socket.OPEN && !(whole && sent === 160_000)) {
      write(one, Buffer.alloc(20_000));
      sent += 20_000;
      await sleep(60);
    }
    // The first one is over before its input is.
    assert.equal(one.socket.readyState === one.socket.OPEN, whole);
    if (whole) one.socket.send(HALF_CLOSE);
    await one.ended;
    assert.match(one.output(3).toString(), /"Success"/);
    const { exec: told } = await execToEnd(lab, ['sh', '-c', 'wc -c </tmp/up']);
    if (whole) assert.equal(Number(told.output(1)), sent);
  }
});

test('exit codes and signals come as codes, 128 and the number for a signal', async () => {
  for (const [command, code] of [
    ['exit 3', '3'],
    ['exit 255', '255'],
    ['kill -9 $$', '137'],
    ['kill -15 $$', '143'],
    ['kill -11 $$', '139'],
  ] as const) {
    const { status } = await execToEnd(lab, ['sh', '-c', command]);
    assert.deepEqual(status['details'], { causes: [{ reason: 'ExitCode', message: code }] });
  }
});

test('a client that goes away leaves its command behind, and stdin ends', async () => {
  const command = 'echo up; cat >/dev/null; echo eof >/tmp/eof; exec sleep 604';
  const one = exec(['sh', '-c', command], true);
  await until(() => one.output(1).length > 0);
  one.socket.terminate();
  const look = ['sh', '-c', 'cat /tmp/eof; ps | grep -c "[s]leep 604"'];
  await until(async () => {
    const { exec: told } = await execToEnd(lab, look);
    return told.output(1).toString() === 'eof\n1\n';
  });
});

test('a command that writes to a client that is gone is stuck, not killed', async () => {
  const one = exec(['cat', '/dev/zero']);
  await until(() => one.output(1).length > 0);
  one.socket.terminate();
  await sleep(200);
  const { exec: told } = await execToEnd(lab, ['sh', '-c', 'ps | grep -c "[c]at /dev/zero"']);
  assert.equal(told.output(1).toString(), '1\n');
});

test('a grandchild that holds stdout keeps the exec open, a detached one does not', async () => {
  for (const [command, ends] of [
    ['(sleep 605 &) ; echo done', false],
    ['sleep 606 >/dev/null 2>&1 & echo done', true],
  ] as const) {
    const one = exec(['sh', '-c', command]);
    const end = await (ends ? one.ended : Promise.race([one.ended, sleep(700)]));
    assert.equal(end !== undefined, ends);
    one.socket.terminate();
  }
});

test('killing the container ends its execs with 137', async () => {
  const one = startExec(lab, {
    path: '/api/v1/namespaces/shop/pods/single/exec',
    query: { command: ['sh', '-c', 'echo up; exec sleep 600'], stdout: 'true' },
    token: lab.token('admin'),
  });
  await until(() => one.output(1).toString().includes('up'));
  await lab.killContainer('shop', 'single', 'app');
  assert.deepEqual(await one.ended, { code: 1000, protocol: 'v5.channel.k8s.io' });
  assert.match(one.output(3).toString(), /"message":"137"/);
});
