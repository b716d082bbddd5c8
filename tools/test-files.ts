// SPDX-License-Identifier: Apache-2.0
import { globSync } from 'node:fs';
import { ROOT } from './steps.ts';

/** Tests that open sockets, processes or disks: each has a process of its own. */
const INTEGRATION = [
  /^((packages|services)\/[^/]+|cli|lab|witness)\/test\//,
  /^contracts\/test\/foreign\//,
  /^test\/(end-to-end|attacks)\//,
  /^drill\/[^/]+$/,
];
/** `npm run test:compose` runs these. */
const ELSEWHERE = /^test\/compose\//;

/** What `npm test` runs, by paths from the root. */
export interface TestFiles {
  readonly unit: readonly string[];
  readonly integration: readonly string[];
}

/** All tests that are there, so that none is left out, or those at or below certain paths. */
export function testFiles(wanted: readonly string[]): TestFiles {
  const files = globSync('**/*.test.ts', { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .filter((file) => !ELSEWHERE.test(file))
    .filter((file) => wanted.length === 0 || wanted.some((path) => isBelow(file, path)))
    .toSorted();
  const isIntegration = (file: string) => INTEGRATION.some((where) => where.test(file));
  return {
    unit: files.filter((file) => !isIntegration(file)),
    integration: files.filter(isIntegration),
  };
}

function isBelow(file: string, path: string): boolean {
  const folder = path.replace(/^\.\//, '').replace(/\/$/, '');
  return file === folder || file.startsWith(`${folder}/`);
}
