// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { openLog } from '@impound/runtime/log.ts';
import { start } from '@impound/runtime/start.ts';
import { uploader } from '@impound/uploader/service.ts';
import { assertSealedOnce, chainOf, story } from './chain.ts';
import { ask, ended, stageFor } from './platform.ts';

/** As long as a service may be away while it is rolled out anew. */
const AWAY_MS = 12_000;

const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
const pods = [{ name: 'cart', containers: [container] }];
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods }] },
  without: ['uploader'],
});

const scope = new AsyncDisposableStack();
after(() => scope.disposeAsync());

test('a request that comes while the store is away is kept, and sealed when it is back', async () => {
  const { client, platform } = stage;
  const acquisitionId = await ask(client, { place: 'shop/cart/main' });
  await delay(AWAY_MS);
  const { types } = await chainOf(client, acquisitionId);
  assert.deepEqual(
    types.filter((type) => /^(context|evidence|acquisition\.failed)/.test(type)),
    [],
  );
  const environment = {
    NATS_URL: platform.natsUrl,
    NATS_NKEY_FILE: platform.nkeyFile('uploader'),
    STATEMENT_KEY: platform.statementKey('uploader'),
    STORE_URL: pathToFileURL(join(platform.dataDir, 'late')).href,
    SIGNING_KEY: randomBytes(32).toString('hex'),
  };
  scope.use(await start(uploader, environment, openLog('uploader', 'silent')));
  await ended(client, acquisitionId);
  const chain = await chainOf(client, acquisitionId);
  assert.ok(chain.types.includes('acquisition.sealed.v1'), story(chain));
  assertSealedOnce(chain);
});
