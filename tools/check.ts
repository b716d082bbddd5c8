// SPDX-License-Identifier: Apache-2.0
// `npm run check`: everything that is found out without running the product. `npm run format`
// (`--write`) mends what can be mended by machine.
import process from 'node:process';
import { step } from './steps.ts';

const write = process.argv.includes('--write');
const CHECKS = [
  ['formatting, lint and the import law', 'biome', write ? ['check', '--write', '.'] : ['ci', '.']],
  ['types', 'tsc', ['-p', '.']],
  ['unused files, exports and dependencies', 'knip', ['--no-config-hints']],
  ['the law of the house', process.execPath, ['--test', 'test/house.test.ts']],
] as const;

const failed: string[] = [];
for (const [name, file, args] of write ? CHECKS.slice(0, 1) : CHECKS) {
  process.stdout.write(`\n== ${name}\n`);
  if ((await step(file, args)) !== 0) failed.push(name);
}
process.stdout.write(failed.length > 0 ? `\nfailed: ${failed.join('; ')}\n` : '\nall in order\n');
process.exitCode = failed.length > 0 ? 1 : 0;
