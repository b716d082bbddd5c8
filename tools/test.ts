// SPDX-License-Identifier: Apache-2.0
// `npm test [PATH…]`: unit tests in as many processes as there are cores to use, then tests that
// open sockets, processes or disks, one process per file, and which files took longest. The last
// line sums up both: `N passed, N failed`.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { ROOT, step } from './steps.ts';
import { testFiles } from './test-files.ts';

const CONCURRENCY = 2;
const TEST_MS_MAX = 300_000;

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Seconds in the tests of each file. */
  readonly seconds: ReadonlyMap<string, number>;
}

const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0, seconds: new Map() };

/** Units share a process, which is what makes them fast; their words come when it has ended. */
async function units(tests: readonly string[]): Promise<Tally> {
  if (tests.length === 0) return NOTHING;
  process.stdout.write(`\n== unit tests: ${tests.length} files\n`);
  const shares = Array.from({ length: CONCURRENCY }, (_, n) =>
    tests.filter((_, at) => at % CONCURRENCY === n),
  ).filter((share) => share.length > 0);
  return await inFolder(async (folder) => {
    const tallies = shares.map(async (share, n) => {
      const words = join(folder, `${n}.words`);
      const tally = await run(share, 'none', { words, results: join(folder, `${n}.xml`) });
      process.stdout.write(await readFile(words, 'utf8').catch(() => ''));
      return tally;
    });
    return sum(await Promise.all(tallies));
  });
}

async function integrations(tests: readonly string[]): Promise<Tally> {
  if (tests.length === 0) return NOTHING;
  process.stdout.write(`\n== integration tests: ${tests.length} files\n`);
  return await inFolder((folder) =>
    run(tests, 'process', { words: 'stdout', results: join(folder, 'results.xml') }),
  );
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'impound-tally-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(
  tests: readonly string[],
  isolation: 'none' | 'process',
  to: { readonly words: string; readonly results: string },
): Promise<Tally> {
  const reporters = ['--test-reporter=spec', `--test-reporter-destination=${to.words}`];
  reporters.push('--test-reporter=junit', `--test-reporter-destination=${to.results}`);
  const limits = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_MS_MAX}`];
  const args = ['--test', `--test-isolation=${isolation}`, ...limits, ...reporters, ...tests];
  const code = await step(process.execPath, args);
  return tallyOf(await readFile(to.results, 'utf8').catch(() => ''), code);
}

const TESTCASE = /<testcase name="[^"]*" time="([\d.]+)"[^>]* file="([^"]+)"/g;

/** A runner that ends badly without a failed test (it crashed, a promise was left) is a failure. */
function tallyOf(results: string, code: number): Tally {
  const counts = results.slice(results.lastIndexOf('<!-- tests '));
  const count = (what: string) =>
    Number(new RegExp(`<!-- ${what} (\\d+) -->`).exec(counts)?.[1] ?? 0);
  const failed = count('fail') + count('cancelled');
  const seconds = new Map<string, number>();
  for (const [, time, file = ''] of results.matchAll(TESTCASE)) {
    seconds.set(file, (seconds.get(file) ?? 0) + Number(time));
  }
  return {
    passed: count('pass'),
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: count('skipped') + count('todo'),
    seconds,
  };
}

function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
      seconds: new Map([...all.seconds, ...one.seconds]),
    }),
    NOTHING,
  );
}

const SLOWEST = 10;

function slowest({ seconds }: Tally): string {
  const files = [...seconds].toSorted(([, one], [, other]) => other - one).slice(0, SLOWEST);
  const lines = files.map(
    ([file, time]) => `${time.toFixed(1).padStart(7)} s  ${relative(ROOT, file)}`,
  );
  return lines.length < SLOWEST ? '' : `\nslowest:\n${lines.join('\n')}\n`;
}

const wanted = process.argv.slice(2);
const { unit, integration } = testFiles(wanted);
const all = sum([await units(unit), await integrations(integration)]);
const { passed, failed, skipped } = all;
if (passed === 0 && failed === 0) process.stdout.write(`no tests in ${wanted.join(' ') || ROOT}\n`);
process.stdout.write(slowest(all));
process.stdout.write(`\n${skipped} skipped\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed !== 0 ? 0 : 1;
