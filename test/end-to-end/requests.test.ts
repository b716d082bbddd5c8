// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { PodSpec } from '@impound/lab/options.ts';
import { chainOf, story } from './chain.ts';
import { ask, ended, orderOf, stageFor, until } from './platform.ts';

const SIEM = 'token-of-the-siem-000000';
const LEAD = 'token-of-the-lead-000000';
const BOTH = 'token-of-the-boss-000000';
const OTHER = 'token-of-another-tenant-0';
const entry = (token: string, id: string, more: object) => ({
  id,
  kind: 'person',
  tenant: 'default',
  credentials: [
    { kind: 'token', id: 'key-1', sha256: createHash('sha256').update(token).digest('hex') },
  ],
  clusters: ['*'],
  namespaces: ['*'],
  mayReadEvidence: true,
  ...more,
});
const INTEGRATIONS = [
  entry(SIEM, 'siem', { approval: 'always' }),
  entry(LEAD, 'lead', { approval: 'never', mayApprove: true }),
  entry(BOTH, 'boss', { approval: 'always', mayApprove: true }),
  entry(OTHER, 'stranger', { approval: 'never', mayApprove: true, tenant: 'elsewhere' }),
];

const NAMES = ['approved', 'refused', 'expired', 'own', 'key', 'same', 'early', 'foreign'];
function pod(name: string): PodSpec {
  const container = { name: 'main', image: 'registry.example/shop:1', flavor: 'debian' as const };
  return { name, containers: [container] };
}
const stage = stageFor({
  lab: { namespaces: [{ name: 'shop', pods: NAMES.map(pod) }] },
  integrations: INTEGRATIONS,
});
const place = (name: string) => `shop/${name}/main`;
const verb = (id: string, what: string) => `/v1/acquisitions/${id}/${what}`;

/** Nothing was run in the pod. */
function assertUntouched(name: string): void {
  const runs = stage.lab.audit.filter(({ path }) => path.includes(`/pods/${name}/exec`));
  assert.deepEqual(runs, []);
}

async function waiting(name: string) {
  const siem = stage.clientOf(SIEM);
  const id = await ask(siem, { place: place(name) });
  await until(siem, id, ({ status }) => status === 'awaiting-approval');
  assertUntouched(name);
  return { siem, id };
}

describe('a request that needs a second person', { concurrency: 3 }, () => {
  test('touches nothing until it is approved, and is sealed then', async () => {
    const { siem, id } = await waiting('approved');
    const reason = { reason: 'confirmed' };
    await assert.rejects(siem.post(verb(id, 'approve'), reason), /403/);
    await stage.clientOf(LEAD).post(verb(id, 'approve'), reason);
    assert.equal((await ended(siem, id)).status, 'sealed');
    const chain = await chainOf(siem, id);
    const { approvedBy } = chain.data('acquisition.approved.v1') as { approvedBy: { id: string } };
    assert.equal(approvedBy.id, 'lead');
    const order = ['acquisition.approved.v1', 'acquisition.assigned.v1', 'execution.started.v1'];
    assert.deepEqual(
      chain.types.filter((type) => order.includes(type)),
      order,
    );
    await assert.rejects(stage.clientOf(LEAD).post(verb(id, 'refuse'), reason), /409/);
  });

  test('can be refused, and that is its end', async () => {
    const { siem, id } = await waiting('refused');
    await stage.clientOf(LEAD).post(verb(id, 'refuse'), { reason: 'a drill' });
    assert.equal((await ended(siem, id)).status, 'refused');
    assert.match(
      String((await chainOf(siem, id)).data('acquisition.refused.v1')['reason']),
      /drill/,
    );
    assertUntouched('refused');
  });

  test('expires when nobody decides, and says that this is why', async () => {
    const siem = stage.clientOf(SIEM);
    const id = await ask(siem, { place: place('expired'), deadlineSeconds: 10 });
    assert.equal((await ended(siem, id)).status, 'expired');
    const { because } = (await chainOf(siem, id)).data('acquisition.expired.v1');
    assert.match(String(because), /nobody had approved/);
    await assert.rejects(stage.clientOf(LEAD).post(verb(id, 'approve'), { reason: 'late' }), /409/);
    assertUntouched('expired');
  });

  test('cannot be approved by whoever asked for it', async () => {
    const boss = stage.clientOf(BOTH);
    const id = await ask(boss, { place: place('own') });
    await until(boss, id, ({ status }) => status === 'awaiting-approval');
    await assert.rejects(boss.post(verb(id, 'approve'), { reason: 'I say so' }), /403/);
    await boss.post(verb(id, 'cancel'), { reason: 'never mind' });
    assert.equal((await ended(boss, id)).status, 'cancelled');
    assertUntouched('own');
  });

  test('is not there for another tenant', async () => {
    const { siem, id } = await waiting('foreign');
    const stranger = stage.clientOf(OTHER);
    await assert.rejects(stranger.get(`/v1/acquisitions/${id}`), /404/);
    await assert.rejects(stranger.post(verb(id, 'approve'), { reason: 'let me' }), /404/);
    await assert.rejects(stage.clientOf('no-such-token-at-all').get(`/v1/acquisitions`), /401/);
    await siem.post(verb(id, 'cancel'), { reason: 'seen enough' });
    assert.equal((await ended(siem, id)).status, 'cancelled');
  });
});

describe('a request that comes again', { concurrency: 2 }, () => {
  test('with its Idempotency-Key is the same acquisition, however often and at once', async () => {
    const lead = stage.clientOf(LEAD);
    const wanted = { place: place('key') };
    const ids = await Promise.all(Array.from({ length: 10 }, () => ask(lead, wanted, 'finding-1')));
    assert.equal(new Set(ids).size, 1);
    const id = ids[0] ?? '';
    assert.equal((await ended(lead, id)).status, 'sealed');
    assert.equal(await ask(lead, wanted, 'finding-1'), id);
    const chain = await chainOf(lead, id);
    assert.equal(chain.types.filter((type) => type === 'acquisition.requested.v1').length, 1);
    assert.ok(!chain.types.includes('conflict.noticed.v1'), story(chain));
    const other = orderOf({ place: place('key'), reason: 'something else' });
    const again = lead.post('/v1/acquisitions', other, { 'idempotency-key': 'finding-1' });
    await assert.rejects(again, /422/);
  });

  test('while the first one runs joins it: one touch, one result, every asker on record', async () => {
    const lead = stage.clientOf(LEAD);
    const goOn = Promise.withResolvers<void>();
    using _held = stage.lab.inject({
      ...{ kind: 'pause', afterBytes: 1_000, path: /\/pods\/same\/exec/ },
      ...{ reached() {}, until: goOn.promise },
    });
    const ids = await Promise.all([0, 1, 2].map(() => ask(lead, { place: place('same') })));
    let over = 0;
    const endOf = async (id: string) => {
      const shown = await ended(lead, id);
      over += 1;
      if (over === 2) goOn.resolve();
      return shown;
    };
    const all = await Promise.all(ids.map(endOf));
    assert.deepEqual(all.map(({ status }) => status).toSorted(), ['joined', 'joined', 'sealed']);
    const sealed = all.find(({ status }) => status === 'sealed')?.acquisitionId;
    for (const { acquisitionId, status } of all) {
      if (status !== 'joined') continue;
      const chain = await chainOf(lead, acquisitionId);
      assert.equal(chain.data('acquisition.joined.v1')['joins'], sealed);
    }
    const runs = stage.lab.audit.filter(({ path: one }) => one.includes('/pods/same/exec'));
    assert.equal(runs.length, 1);
  });

  test('may be cancelled before anything was found', async () => {
    const lead = stage.clientOf(LEAD);
    using _hang = stage.lab.inject({ kind: 'hang', path: /\/pods\/early(\?|$)/ });
    const id = await ask(lead, { place: place('early') });
    await lead.post(verb(id, 'cancel'), { reason: 'wrong finding' });
    assert.equal((await ended(lead, id)).status, 'cancelled');
    assertUntouched('early');
  });
});
