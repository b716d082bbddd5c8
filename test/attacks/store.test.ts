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
  await chmod(object, 0o600);
  await writeFile(object, Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')]));
  const overwritten = await exported('overwritten');
  assert.equal(overwritten.code, EXIT.failed, overwritten.out);
  assert.match(overwritten.err, /no bag was written .*evidence\.tar\.zst: \d+ bytes with SHA-256/);
  assert.match(overwritten.err, /came where the store promised \d+ bytes with \w{64}/);
  await rm(object);
  const removed = await exported('removed');
  assert.notEqual(removed.code, EXIT.ok, removed.out);
  assert.match(removed.err, /no bag was written/);
  await writeFile(object, bytes);
  const back = await exported('back');
  assert.equal(back.code, EXIT.ok, back.err);
  assert.equal((await impound(['verify', join(folder, 'back')])).code, EXIT.ok);
});
