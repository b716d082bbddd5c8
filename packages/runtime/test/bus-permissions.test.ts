// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { BUS_IDENTITIES } from '@impound/contracts/bus-rights.ts';
import { Integration } from '@impound/contracts/integration.ts';
import {
  connect,
  type NatsConnection,
  nkeyAuthenticator,
  nkeys,
  PermissionViolationError,
} from '@nats-io/transport-node';
import { busKeys, seedFile } from '../src/bus-keys.ts';
import { busVerdict } from '../src/bus-verdict.ts';
import { permissionsConfig } from '../src/nats-config.ts';
import { testFolder } from '../src/testing/bus.ts';
import { until } from '../src/testing/until.ts';
import { type Deed, LISTENING, PUBLISHING } from './bus-universe.ts';
import { enterBus, securedBus } from './secured-bus.ts';

/** What the server has refused until now, as `subject queue`. */
function refusals(connection: NatsConnection) {
  const seen = new Set<string>();
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      const { operation, subject, queue = '' } = status.error;
      seen.add(`${operation} ${subject} ${queue}`);
    }
  })();
  return async () => {
    await connection.flush();
    await setImmediate();
    return seen;
  };
}

/** Tries everything as this identity and tells where it may more or less than it should. */
async function faultsOf(
  identity: string,
  connection: NatsConnection,
  more: readonly Deed[] = [],
): Promise<string[]> {
  const deeds = [...PUBLISHING, ...LISTENING, ...more];
  const [publishing, listening] = [
    deeds.filter(({ queue }) => queue === undefined),
    deeds.filter(({ queue }) => queue !== undefined),
  ];
  const refused = refusals(connection);
  for (const { subject } of publishing) connection.publish(subject);
  for (const { subject, queue } of listening) {
    const ignored = { callback: () => undefined };
    connection.subscribe(subject, queue ? { queue, ...ignored } : ignored);
  }
  const seen = await refused();
  const fault = (operation: string, { subject, queue = '', may }: Deed) => {
    const allowed = !seen.has(`${operation} ${subject} ${queue}`);
    if (allowed === may.includes(identity)) return [];
    return [`${identity} ${allowed ? 'may' : 'may not'}: ${operation} ${subject} ${queue}`.trim()];
  };
  return [
    ...publishing.flatMap((deed) => fault('publish', deed)),
    ...listening.flatMap((deed) => fault('subscription', deed)),
  ];
}

async function allFaults(secured: Awaited<ReturnType<typeof securedBus>>): Promise<string[]> {
  const faults: string[] = [];
  for (const identity of BUS_IDENTITIES) {
    faults.push(...(await faultsOf(identity, await secured.enter(identity))));
  }
  return faults;
}

const NEWER = process.env['NATS_SERVER_NEWER'];
const HOW = 'NATS_SERVER_NEWER names no newer nats-server; tools/servers.sh fetches one';
const newer = NEWER === undefined ? { skip: HOW } : {};

suite('rights on the bus', () => {
  test('every identity may do what is its own and nothing that is another one’s', async (t) => {
    const tried = BUS_IDENTITIES.length * (PUBLISHING.length + LISTENING.length);
    const secured = await securedBus(t);
    assert.deepEqual(await allFaults(secured), []);
    t.diagnostic(`${tried} deeds tried on nats-server ${secured.bus.version}`);
  });

  test('an integration may ask its door and hear its own, and nothing that is a service’s', async (t) => {
    const pair = nkeys.createUser();
    const credentials = [{ kind: 'nats', id: 'key-1', user: pair.getPublicKey() }];
    const named = { id: 'siem', tenant: 'default', kind: 'integration' };
    const siem = Integration.parse({ ...named, clusters: ['*'], namespaces: ['*'], credentials });
    const { bus } = await securedBus(t, { integrations: [siem] });
    const connection = await enterBus(t, bus.url, pair.getSeed());
    const faults = await faultsOf('siem', connection, [
      { subject: 'acquire', may: ['siem'] },
      { subject: 'ended.acquisition.sealed.x', may: [] },
      { subject: 'acquire', queue: '', may: [] },
      { subject: 'ended.>', queue: '', may: ['siem'] },
      { subject: 'ended.acquisition.sealed.*', queue: '', may: ['siem'] },
    ]);
    // Its inboxes are those of its own account.
    const inboxes = LISTENING.filter(({ subject }) => subject === '_INBOX.>').length;
    assert.deepEqual(faults, Array(inboxes).fill('siem may: subscription _INBOX.>'));
  });

  test('so it is on a newer server', newer, async (t) => {
    const secured = await securedBus(t, NEWER === undefined ? {} : { binary: NEWER });
    assert.deepEqual(await allFaults(secured), []);
    t.diagnostic(`nats-server ${secured.bus.version}`);
  });

  const NEXT = '$JS.API.CONSUMER.MSG.NEXT.IMPOUND.discovery_acquisition_requested_v1';
  for (const [what, right, instead, fault] of [
    [
      'too much to say',
      'impound.v1.say.uploader.*.evidence.stored',
      'impound.v1.say.>',
      /^uploader may: publish impound\.v1\.say\.gateway/,
    ],
    [
      'too little to hear',
      NEXT,
      'nothing',
      /^discovery may not: publish \$JS\.API\.CONSUMER\.MSG\.NEXT/,
    ],
    [
      'a question heard by everybody',
      'impound.v1.ask.uploader.open uploader',
      'impound.v1.ask.uploader.open',
      /^uploader may: subscription impound\.v1\.ask\.uploader\.open/,
    ],
    [
      'the inbox of others',
      '_INBOX_discovery.>',
      '*.>',
      /^discovery may: subscription _INBOX_gateway/,
    ],
    [
      'the whole JetStream API',
      '$JS.API.STREAM.INFO.IMPOUND',
      '$JS.API.>',
      /^ledger may: publish \$JS\.API\.STREAM\.DELETE/,
    ],
  ] as const) {
    test(`the test notices ${what}`, async (t) => {
      const change = (text: string) => text.replace(`"${right}"`, `"${instead}"`);
      assert.notEqual(change(permissionsConfig()), permissionsConfig());
      const faults = await allFaults(await securedBus(t, { change }));
      assert.ok(
        faults.some((line) => fault.test(line)),
        faults.join('\n'),
      );
    });
  }

  test('whoever was asked answers once, and only where it was asked to', async (t) => {
    const { enter } = await securedBus(t);
    const [asking, asked] = [await enter('discovery'), await enter('uploader')];
    const refused = refusals(asked);
    asked.subscribe('impound.v1.ask.uploader.open', {
      queue: 'uploader',
      callback: (_error, message) => {
        message.respond('first');
        message.respond('second');
        asked.publish(`${message.reply}x`, 'beside it');
      },
    });
    await asked.flush();
    const answer = await asking.request('impound.v1.ask.uploader.open', '', { timeout: 5_000 });
    assert.equal(answer.string(), 'first');
    const seen = await until(async () => ((await refused()).size === 2 ? refused() : undefined));
    const { subject } = answer;
    assert.deepEqual([...seen], [`publish ${subject} `, `publish ${subject}x `]);
  });

  test('a stranger, and whoever shows no key, is not let in', async (t) => {
    const { bus } = await securedBus(t);
    const stranger = await readFile(seedFile(await strangers(t), 'ledger'), 'latin1');
    const authenticator = nkeyAuthenticator(Buffer.from(stranger.trim()));
    const servers = bus.url;
    await assert.rejects(connect({ servers, authenticator, reconnect: false }), /authorization/i);
    await assert.rejects(connect({ servers, reconnect: false }), /authorization/i);
  });

  for (const [sync, acks] of [
    ['always', 'disk'],
    ['2m', 'memory'],
  ]) {
    test(`the ledger learns what an acknowledgement means: synced ${sync}`, newer, async (t) => {
      const head = `jetstream { sync_interval: ${sync} }`;
      const { enter } = await securedBus(t, { head, ...(NEWER && { binary: NEWER }) });
      const verdict = await busVerdict(await enter('ledger'));
      assert.deepEqual([verdict.acks, verdict.stamps], [acks, true]);
    });
  }

  test('the ledger and the operator learn what is known against the server', async (t) => {
    const { bus, enter } = await securedBus(t);
    for (const identity of ['ledger', 'operator']) {
      const verdict = await busVerdict(await enter(identity));
      assert.deepEqual([verdict.version, verdict.acks], [bus.version, 'memory']);
    }
    const { acks } = await busVerdict(await enter('uploader'));
    assert.equal(acks, 'unknown');
  });
});

async function strangers(t: TestContext): Promise<string> {
  const folder = await testFolder(t);
  await busKeys(folder);
  return folder;
}
