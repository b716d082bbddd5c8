// SPDX-License-Identifier: Apache-2.0
// `npm test [PATH…]`: unit tests in one process, then tests that open sockets, processes or disks,
// one process per file. The last line sums up both: `N passed, N failed`.
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT, step } from './steps.ts';

const CONCURRENCY = 2;
const TEST_MS_MAX = 300_000;
const UNIT = [
  '{contracts,packages,services}/**/src/**',
  '{cli,lab,witness}/src/**',
  'contracts/test',
  'test',
  'drill/fleet',
];
const INTEGRATION = [
  '{packages,services}/*/test/**',
  '{cli,lab,witness}/test/**',
  'test/end-to-end/**',
  'drill',
];

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function files(folders: readonly string[], wanted: readonly string[]): string[] {
  const patterns = folders.map((folder) => `${folder}/*.test.ts`);
  return globSync(patterns, { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .filter((file) => wanted.length === 0 || wanted.some((path) => isBelow(file, path)))
    .toSorted();
}

function isBelow(file: string, path: string): boolean {
  const folder = path.replace(/^\.\//, '').replace(/\/$/, '');
  return file === folder || file.startsWith(`${folder}/`);
}

async function run(name: string, tests: readonly string[], isolation: 'none' | 'process') {
  if (tests.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  process.stdout.write(`\n== ${name}: ${tests.length} files\n`);
  const folder = await mkdtemp(join(tmpdir(), 'impound-tally-'));
  const tap = join(folder, 'tap');
  try {
    const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
    reporters.push('--test-reporter=tap', `--test-reporter-destination=${tap}`);
    const limits = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_MS_MAX}`];
    const args = ['--test', `--test-isolation=${isolation}`, ...limits, ...reporters, ...tests];
    const code = await step(process.execPath, args);
    return tally(await readFile(tap, 'utf8').catch(() => ''), code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A runner that ends badly without a failed test (it crashed, a promise was left) is a failure. */
function tally(tap: string, code: number): Tally {
  const count = (what: string) =>
    Number(
      new RegExp(`^# ${what} (\\d+)$`, 'm').exec(tap.slice(tap.lastIndexOf('\n1..')))?.[1] ?? 0,
    );
  const failed = count('fail') + count('cancelled');
  return {
    passed: count('pass'),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: count('skipped') + count('todo'),
  };
}

const wanted = process.argv.slice(2);
const unit = await run('unit tests', files(UNIT, wanted), 'none');
const integration = await run('integration tests', files(INTEGRATION, wanted), 'process');
const [passed, failed, skipped] = (['passed', 'failed', 'skipped'] as const).map(
  (key) => unit[key] + integration[key],
);
if (passed === 0 && failed === 0) process.stdout.write(`no tests in ${wanted.join(' ') || ROOT}\n`);
process.stdout.write(`\n${skipped} skipped\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed !== 0 ? 0 : 1;
