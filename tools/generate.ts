// SPDX-License-Identifier: Apache-2.0
// `npm run generate`: writes what is made from the contracts and kept in the repository.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseDocument } from './database.ts';
import { flowDocument } from './flow.ts';
import { ROOT } from './steps.ts';

await import('../contracts/generate/main.ts');
await mkdir(join(ROOT, 'docs'), { recursive: true });
await writeFile(join(ROOT, 'docs/flow.md'), await flowDocument());
await mkdir(join(ROOT, 'deploy/postgres'), { recursive: true });
await writeFile(join(ROOT, 'deploy/postgres/ledger.sql'), await databaseDocument());
process.stdout.write(
  'written: contracts/schemas, contracts/src/events.ts, docs/flow.md, deploy/postgres\n',
);
