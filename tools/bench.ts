// SPDX-License-Identifier: Apache-2.0
// `npm run bench -- NAME [ARGUMENT…]`: runs bench/NAME.ts or bench/NAME/main.ts.
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT, step } from './steps.ts';

const [name, ...args] = process.argv.slice(2);
const names = globSync(['bench/*.ts', 'bench/*/main.ts'], { cwd: ROOT })
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => file.replace(/^bench\//, '').replace(/(\/main)?\.ts$/, ''))
  .toSorted();

if (name === undefined || !names.includes(name)) {
  const known = names.map((each) => `  npm run bench -- ${each}\n`).join('');
  process.stderr.write(`${name ? `there is no benchmark ${name}` : 'which one?'}\n${known}`);
  process.exitCode = 2;
} else {
  const single = join('bench', `${name}.ts`);
  const file = existsSync(join(ROOT, single)) ? single : join('bench', name, 'main.ts');
  process.exitCode = await step(process.execPath, [file, ...args]);
}
