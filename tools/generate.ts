// SPDX-License-Identifier: Apache-2.0
// `npm run generate`: writes what is made from the contracts and kept in the repository.
// `npm run generate -- --freeze VERSION` keeps in contracts/fixtures what a release says, too.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openApiText } from '@impound/gateway/adapters/openapi.ts';
import { natsFiles } from '@impound/runtime/nats-config.ts';
import { busDocument } from './bus.ts';
import { databaseDocument } from './database.ts';
import { flowDocument } from './flow.ts';
import { iamFiles } from './iam.ts';
import { ROOT } from './steps.ts';

const { values } = parseArgs({ options: { freeze: { type: 'string' } } });
const { freeze } = await import('../contracts/generate/main.ts');
if (values.freeze !== undefined) {
  const changes = await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8');
  if (changes.split('\n').some((line) => line.startsWith(`## ${values.freeze}`))) {
    throw new Error(`${values.freeze} is released: what it says does not change any more`);
  }
  await freeze(values.freeze);
}
await mkdir(join(ROOT, 'docs'), { recursive: true });
await writeFile(join(ROOT, 'docs/flow.md'), await flowDocument());
const bus = join(ROOT, 'docs/bus.md');
await writeFile(bus, busDocument(await readFile(bus, 'utf8')));
await writeFile(join(ROOT, 'docs/openapi.json'), openApiText());
await mkdir(join(ROOT, 'deploy/postgres'), { recursive: true });
await writeFile(join(ROOT, 'deploy/postgres/ledger.sql'), await databaseDocument());
await mkdir(join(ROOT, 'deploy/nats'), { recursive: true });
for (const [name, text] of natsFiles()) await writeFile(join(ROOT, 'deploy/nats', name), text);
await mkdir(join(ROOT, 'deploy/iam'), { recursive: true });
for (const [name, text] of iamFiles()) await writeFile(join(ROOT, 'deploy/iam', name), text);
process.stdout.write(
  'written: contracts/schemas, contracts/src/events.ts, docs, deploy/{iam,nats,postgres}\n',
);
