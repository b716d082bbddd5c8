// SPDX-License-Identifier: Apache-2.0
// `npm run test:compose [FILE…]`: docker-compose.yml and deploy/witness.yml for real, with a
// pretend cluster on this machine. It needs Docker with compose 2, radosgw, and root for the
// pretend cluster's processes; it is no part of `npm test`. Where Docker is not, it says so and
// ends with 1: nothing was tried.
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { step } from './steps.ts';

function missing(): string | undefined {
  for (const args of [['info'], ['compose', 'version']]) {
    try {
      execFileSync('docker', args, { stdio: 'pipe' });
    } catch (error) {
      const { stderr, message } = error as { stderr?: Buffer; message: string };
      return `docker ${args.join(' ')}: ${stderr?.toString().trim().split('\n').at(-1) || message}`;
    }
  }
  return undefined;
}

const because = missing();
if (because === undefined) {
  const files = process.argv.slice(2);
  if (files.length === 0) files.push('test/compose/*.test.ts');
  const args = ['--test', '--test-concurrency=1', '--test-timeout=1800000', ...files];
  process.exitCode = await step(process.execPath, args);
} else {
  process.stdout.write(`NOT RUN, nothing was tried: ${because}\n`);
  process.exitCode = 1;
}
