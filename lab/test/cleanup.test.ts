// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { until } from './until.ts';

const PROGRAM = new URL('./orphan.ts', import.meta.url).pathname;
const NOBODY = 65_534;

const cases = [{ name: 'as it is', who: {} }];
if (process.getuid?.() === 0) {
  cases.push({ name: 'without root', who: { uid: NOBODY, gid: NOBODY } });
}

for (const { name, who } of cases) {
  test(`a killed lab leaves no process and no file, ${name}`, async () => {
    const child = spawn(process.execPath, [PROGRAM], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: '/',
      ...who,
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { pids, files } = JSON.parse(line) as { pids: number[]; files: string };
    assert.ok(pids.every(isAlive));
    assert.ok(existsSync(files));
    child.kill('SIGKILL');
    await until(() => !pids.some(isAlive), 'every process ends');
    await until(() => !existsSync(files), 'every file goes');
  });
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
