// SPDX-License-Identifier: Apache-2.0
// A token of an authority of time is forged, or is one for something else. Who finds it: openssl,
// and whoever verifies a bag with the authority's certificate.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId } from '@impound/runtime/ids.ts';
import { testDatabase } from '@impound/runtime/testing/database.ts';
import { until } from '@impound/runtime/testing/until.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';
import { signedBy } from '@impound/timestamp/testing/signed-token.ts';
import { newLogKeys } from '@impound/transparency/log-keys.ts';
import { EXIT } from '../../cli/src/exit-code.ts';
import { world } from '../../services/ledger/test/world.ts';
import { found } from '../end-to-end/bare-machine.ts';
import { exportBag, forgedBag, relist } from './bag.ts';
import { impound } from './detectors.ts';
import { begin, kept, ORIGIN, scopeOf, stageFolder, startLedger } from './stage.ts';
import { tellStory } from './story.ts';

const OPENSSL = found('openssl', 'apt-get install openssl');
const TOKEN = 'custody/time/before.tsr';
const UNFIT = ['expired', 'stranger', 'server', 'both'] as const;

test('20: a token is forged, for other data, or by whom nobody may believe', OPENSSL, async (t) => {
  await using scope = new AsyncDisposableStack();
  const authority = await opensslAuthority(t);
  const folder = await stageFolder();
  const secret = newLogKeys(ORIGIN);
  const it = await world(scopeOf(scope), { database: await testDatabase(t), keys: secret });
  const shown = { TSA_URL: authority.url.href, TSA_CERTIFICATES: authority.root };
  const sql = it.sql();
  const stamped = async (count: number) => (await sql`select from ledger_anchor`).length >= count;
  const first = await startLedger(scope, it, shown);
  await begin(it, 3);
  await until(() => stamped(1));
  const recorded = async () =>
    (await sql`select from ledger_entry where type = 'checkpoint.stamped.v1'`).length > 0;
  await until(recorded);
  const told = await tellStory(it, newId());
  await first[Symbol.asyncDispose]();
  // What is newest when it starts is stamped at once.
  await startLedger(scope, it, shown);
  await begin(it, 1);
  await until(() => stamped(2));
  const policy = await kept(folder, 'policy', 'quorum none\n');
  const bag = join(folder, 'bag');
  await exportBag(it.sql(), { told, secret, policy, certificates: authority.root }, bag);
  const tsa = ['--tsa', await kept(folder, 'root.pem', authority.root)];
  const good = await impound(['verify', bag, ...tsa]);
  assert.equal(good.code, EXIT.ok, good.out);
  assert.match(good.out, /existed before \S+, by \S*CN=tsa/);
  const note = await readFile(join(bag, 'custody/time/before.checkpoint'));
  const token = await readFile(join(bag, TOKEN));
  assert.equal(await authority.verify(token, note), true);
  assert.equal(await authority.verify(await signedBy(authority, 'good', note), note), true);

  const forged = Buffer.from(token);
  forged[forged.length - 20] = (forged[forged.length - 20] ?? 0) ^ 1;
  const tokens: [string, Buffer, RegExp][] = [
    ['forged', forged, /stamp-refused: the time stamp is refused: /],
    ['other', await signedBy(authority, 'good', Buffer.from('other')), /made for other bytes/],
  ];
  for (const signer of UNFIT) {
    tokens.push([
      signer,
      await signedBy(authority, signer, note),
      /stamp-refused: .*(chain|cert)/i,
    ]);
  }
  for (const [what, bytes, words] of tokens) {
    assert.notEqual(await authority.verify(bytes, note), true, what);
    const copy = await forgedBag(bag, what, {});
    await writeFile(join(copy, TOKEN), bytes);
    await relist(copy);
    const done = await impound(['verify', copy, ...tsa]);
    assert.equal(done.code, EXIT.time, `${what}: ${done.out}`);
    assert.match(done.out, words, what);
  }
});
