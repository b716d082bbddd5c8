// SPDX-License-Identifier: Apache-2.0
// Evidence is changed or removed where it is stored. Who finds it: whoever reads it by the chain.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EXIT } from '../../cli/src/exit-code.ts';
import { impound as command } from '../../cli/test/command-line.ts';
import { CART, openWorld, WHY } from '../../cli/test/world.ts';
import { impound } from './detectors.ts';

const scope = new AsyncDisposableStack();
let folder = '';
let data = '';

before(async () => {
  const world = scope.use(await openWorld());
  ({ folder } = world);
  data = join(folder, 'data');
  const alone = ['--kubeconfig', world.kubeconfig, '--data', data];
  const done = await command(['acquire', CART, ...WHY, ...alone, '--out', join(folder, 'bag')]);
  assert.equal(done.code, EXIT.ok, done.err);
});

after(() => scope.disposeAsync());

test('22: an object of evidence is overwritten in the store, and removed from it', async () => {
  const good = await impound(['verify', join(folder, 'bag'), '--json']);
  assert.equal(good.code, EXIT.ok, good.out);
  const { acquisitionId } = JSON.parse(good.out);
  const exported = async (name: string) =>
    await command(['export', acquisitionId, '--data', data, '--out', join(folder, name)]);
  const [object = ''] = globSync(`${data}/**/${acquisitionId}/**/evidence.tar.zst`);
  const bytes = await readFile(object);
  const inspected = async () => await command(['inspect', acquisitionId, '--data', data]);
  const held = await inspected();
  assert.equal(held.code, EXIT.ok, held.out + held.err);
  assert.match(held.out, /on record: \d+ objects are held as they were, 0 locked/);
  await chmod(object, 0o600);
  await writeFile(object, Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')]));
  const differs = await inspected();
  assert.equal(differs.code, EXIT.findings, differs.out);
  assert.match(
    differs.out,
    /object-differs: SHA-256 \w{64}, \w{64} is on record \(.*evidence\.tar\.zst\)/,
  );
  const overwritten = await exported('overwritten');
  assert.equal(overwritten.code, EXIT.failed, overwritten.out);
  assert.match(overwritten.err, /no bag was written .*evidence\.tar\.zst: \d+ bytes with SHA-256/);
  assert.match(overwritten.err, /came where the store promised \d+ bytes with \w{64}/);
  const all = await command(['inspect', '--since', '1d', '--data', data]);
  assert.equal(all.code, EXIT.findings, all.out);
  assert.match(
    all.out,
    new RegExp(`^${acquisitionId} {2}NOT HELD AS ON RECORD, \\d+ objects`, 'm'),
  );
  assert.match(all.out, /^on record: 0 held as they were, 1 NOT, 0 without evidence$/m);
  const none = await command(['inspect', '--since', '0h', '--data', data]);
  assert.deepEqual([none.code, none.out.includes(acquisitionId)], [EXIT.ok, false]);
  const wrong = await command(['inspect', '--since', 'ever', '--data', data]);
  assert.equal(wrong.code, EXIT.usage, wrong.err);
  await rm(object);
  const gone = await inspected();
  assert.equal(gone.code, EXIT.findings, gone.out);
  assert.match(gone.out, /object-gone: the store does not hold .*evidence\.tar\.zst any more/);
  const removed = await exported('removed');
  assert.notEqual(removed.code, EXIT.ok, removed.out);
  assert.match(removed.err, /no bag was written/);
  await writeFile(object, bytes);
  const back = await exported('back');
  assert.equal(back.code, EXIT.ok, back.err);
  const verified = await impound(['verify', join(folder, 'back')]);
  assert.equal(verified.code, EXIT.ok, verified.out);
  const chain = await readFile(join(folder, 'back', 'custody/chain.jsonl'), 'utf8');
  assert.equal(chain.match(/"evidence\.inspected\.v1"/g)?.length, 4);
  assert.match(chain, /"code":"object-gone"/);
});
