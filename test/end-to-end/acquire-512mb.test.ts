// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { verifyBag } from '@impound/evidence/verify-bag.ts';
import { startCluster } from '@impound/lab/cluster.ts';
import { plantTree, treeOf } from './tree.ts';

const MAIN = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const ACQUIRE_MS_MAX = 280_000;
const LOOK_MS = 200;
const MEBIBYTE = 1_048_576;
const run = promisify(execFile);

/** Runs the command line tool as a user does; gives its exit code and its peak memory. */
async function impound(args: readonly string[], home: string, signal: AbortSignal) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, NATS_SERVER: process.env['NATS_SERVER'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGTERM',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      said = `${said}${data.toString()}`.slice(-8_192);
    });
  }
  let peakKib = 0;
  const look = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peakKib = Math.max(peakKib, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }, LOOK_MS);
  const [code] = await once(child, 'close').finally(() => clearInterval(look));
  return { code: Number(code), said, peakMebibytes: peakKib / 1_024 };
}

test('half a gibibyte of files of all sizes and names comes out of a container byte by byte', {
  timeout: ACQUIRE_MS_MAX,
}, async (t) => {
  await using scope = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'impound-large-'));
  scope.defer(() => rm(home, { recursive: true, force: true }));
  const container = { name: 'main', image: 'registry.example/big:1', flavor: 'debian' as const };
  const pods = [{ name: 'big', containers: [container] }];
  const lab = scope.use(
    await startCluster({ cluster: 'lab', namespaces: [{ name: 'shop', pods }] }, t.signal),
  );
  const source = join(lab.filesOf('shop', 'big', 'main'), 'srv/big');
  const bytes = await plantTree(source);
  const kubeconfig = join(home, 'kubeconfig');
  await writeFile(kubeconfig, lab.kubeconfig('admin'), { mode: 0o600 });

  const bag = join(home, 'bag');
  const startedAt = performance.now();
  const how = ['--kubeconfig', kubeconfig, '--profile', 'volatile', '--path', '/srv/big'];
  const why = ['--case', 'E2E-512', '--reason', 'a large tree', '--out', bag];
  const target = 'kubernetes://lab/shop/big/main';
  const { code, said, peakMebibytes } = await impound(
    ['acquire', target, ...how, ...why],
    home,
    t.signal,
  );
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.equal(code, 0, said);
  const size = (bytes / MEBIBYTE).toFixed(0);
  const speed = (bytes / MEBIBYTE / seconds).toFixed(1);
  t.diagnostic(`${size} MiB in ${seconds.toFixed(1)} s, start and export included: ${speed} MiB/s`);
  t.diagnostic(`peak memory of the whole platform's process: ${peakMebibytes.toFixed(0)} MiB`);

  const report = await verifyBag(bag, t.signal);
  assert.deepEqual(report.findings, []);
  const extracted = join(home, 'extracted');
  await mkdir(extracted);
  const archive = join(bag, 'data', 'evidence.tar.zst');
  await run('sh', ['-c', 'zstd -dc "$1" | tar -x -C "$2"', 'sh', archive, extracted]);
  const wanted = await treeOf(Buffer.from(source));
  const got = await treeOf(Buffer.from(join(extracted, 'files/srv/big')));
  assert.ok(wanted.size > 3_000);
  assert.deepEqual(differences(wanted, got), []);
});

/** Paths, readable, that one tree has and the other has not or has otherwise. */
function differences(wanted: ReadonlyMap<string, string>, got: ReadonlyMap<string, string>) {
  const paths = new Set([...wanted.keys(), ...got.keys()]);
  return [...paths]
    .filter((path) => wanted.get(path) !== got.get(path))
    .map((path) => {
      const name = JSON.stringify(Buffer.from(path, 'hex').toString('latin1'));
      return `${name}: ${wanted.get(path)} became ${got.get(path)}`;
    });
}
