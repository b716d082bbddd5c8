// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chainOf, story } from './chain.ts';
import { ask, ended, stageFor } from './platform.ts';
import { assertLeft } from './processes.ts';

const MEBIBYTE = 1_048_576;
const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
const pods = [{ name: 'large', containers: [container] }];
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods }] },
  environment: { STORE_BYTES_MAX: String(24 * MEBIBYTE), STORE_WAIT_SECONDS: '2' },
});

test('a store that stays full ends the acquisition, says so, and takes the next one', async () => {
  const { client, lab } = stage;
  const place = 'shop/large/main';
  const large = join(lab.filesOf('shop', 'large', 'main'), 'tmp/large.bin');
  writeFileSync(large, randomBytes(64 * MEBIBYTE));
  const acquisitionId = await ask(client, { place, paths: ['/tmp/large.bin'] });
  const { status } = await ended(client, acquisitionId);
  const chain = await chainOf(client, acquisitionId);
  assert.equal(status, 'failed', story(chain));
  assert.match(String(chain.data('execution.failed.v1')['code']), /store-full/);
  assert.match(String(chain.data('acquisition.failed.v1')['because']), /full|space/);
  await assertLeft(lab.pidOf('shop', 'large', 'main'));

  const small = await ask(client, { place });
  const after = await ended(client, small);
  assert.equal(after.status, 'sealed', story(await chainOf(client, small)));
});
