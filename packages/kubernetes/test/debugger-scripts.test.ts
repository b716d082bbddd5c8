// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mainCommand, PROBE, readProbe } from '../src/debugger/scripts.ts';

const proc = mkdtempSync(join(tmpdir(), 'impound-proc-'));
after(() => rmSync(proc, { recursive: true }));

const TARGET = 'c'.repeat(64);
const OTHER = 'd'.repeat(64);

/** One process of a pretend proc; without a root it is one that may not be read. */
function processOf(pid: string, at: { id: string; mount: string; root?: boolean }): void {
  const folder = join(proc, pid);
  mkdirSync(join(folder, 'ns'), { recursive: true });
  if (at.root !== false) mkdirSync(join(folder, 'root'));
  symlinkSync(`mnt:[${at.mount}]`, join(folder, 'ns', 'mnt'));
  writeFileSync(join(folder, 'cgroup'), `0::/kubepods/${at.id}\n`);
  const status = 'Name:\ta\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nCapPrm:\t0000000000000400\n';
  writeFileSync(join(folder, 'status'), status);
}

processOf('1', { id: OTHER, mount: '1' });
processOf('13', { id: TARGET, mount: '2' });
processOf('9', { id: TARGET, mount: '2' });
processOf('20', { id: 'e'.repeat(64), mount: '3', root: false });
processOf('30', { id: 'f'.repeat(64), mount: '4' });
processOf('self', { id: 'f'.repeat(64), mount: '4' });

const CASES = [
  ['PID 1 where the process namespace is the target’s own', '', 'readable', 1],
  ['the lowest process of the target’s id where the pod shares one', TARGET, 'readable', 9],
  ['no process where none has the id', 'a'.repeat(64), 'absent', 0],
  ['a root that cannot be listed', 'e'.repeat(64), 'unreadable', 20],
  ['itself, where the runtime did not join the target', 'f'.repeat(64), 'own', 30],
] as const;

for (const shell of [['dash'], ['bash'], ['busybox', 'sh']] as const) {
  for (const [what, id, verdict, pid] of CASES) {
    test(`${shell.join(' ')}: a probe finds ${what}`, () => {
      const [program, ...first] = shell;
      const argv = [...first, '-c', PROBE, 'sh', proc, id];
      const seen = readProbe(execFileSync(program, argv, { encoding: 'utf8', stdio: 'pipe' }));
      assert.equal(seen?.verdict, verdict);
      assert.equal(seen?.pid, pid);
      const ids = { user: 7, group: 8, capabilities: 0x400n };
      assert.deepEqual(seen?.ids, pid === 0 ? undefined : ids);
    });
  }
}

/** Runs that shell as the only process of a mount namespace, with nobody beside it but `beside`. */
function alone(shell: readonly string[], beside: string): readonly string[] {
  const [, ...command] = mainCommand(60, 2, 1);
  const script = `${beside} exec ${[...shell, '"$@"'].join(' ')}`;
  return ['--mount', '--pid', '--fork', '--mount-proc', 'sh', '-c', script, 'sh', ...command];
}

const canUnshare = spawnSync('unshare', ['--mount', 'true']).status === 0;

for (const shell of [['dash'], ['bash'], ['busybox', 'sh']] as const) {
  const name = shell.join(' ');
  const options = { skip: canUnshare ? false : 'needs the right to make namespaces' };
  test(`${name}: a debugger that nobody works in ends long before its time`, options, async () => {
    const child = spawn('unshare', alone(shell, ''), { stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });

  test(`${name}: it stays for as long as somebody works in it`, options, async () => {
    const child = spawn('unshare', alone(shell, 'sleep 4 &'), { stdio: 'inherit' });
    const startedAt = performance.now();
    await once(child, 'exit');
    assert.ok(performance.now() - startedAt >= 4_000);
  });
}
