// SPDX-License-Identifier: Apache-2.0
// An auditor with only a bag: it was written by an acquire that had no platform but its own.
import assert from 'node:assert/strict';
import { appendFile, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readArguments } from '../src/arguments.ts';
import { verify } from '../src/commands/verify.ts';
import { EXIT } from '../src/exit-code.ts';
import { openPrinter } from '../src/printer.ts';
import { clean, type Ended, impound } from './command-line.ts';
import { CART, openWorld, WHY, type World } from './world.ts';

const scope = new AsyncDisposableStack();
let world: World;
let written: Ended;
let folder: string;
let sealed: { readonly bag: string };

before(async () => {
  world = scope.use(await openWorld());
  folder = world.folder;
  sealed = { bag: join(folder, 'bag') };
  const alone = ['--kubeconfig', world.kubeconfig, '--data', join(folder, 'data')];
  written = await impound(['acquire', CART, ...WHY, ...alone, '--out', sealed.bag]);
  assert.equal(written.code, EXIT.ok, written.err);
});

after(() => scope.disposeAsync());

test('an acquire without a platform leaves a bag and data, and nothing that runs', async () => {
  const left = await readdir(join(folder, 'data'));
  for (const name of ['lock', 'platform.json']) assert.ok(!left.includes(name), name);
  assert.equal((await stat(sealed.bag)).mode & 0o077, 0);
  assert.ok(!(await readdir(folder)).some((name) => name.includes('partial')));
});

test('a bag that was just written verifies, and both say the same hashes', async () => {
  const done = await impound(['verify', sealed.bag]);
  assert.equal(done.code, EXIT.ok, done.out);
  assert.match(done.out, /^verified: everything fits$/m);
  for (const words of [/chain head +([0-9a-f]{64})/, /bag SHA-256 +([0-9a-f]{64})/]) {
    const [, hash] = words.exec(written.out) ?? [];
    assert.ok(hash !== undefined);
    assert.equal(words.exec(done.out)?.[1], hash);
  }
  const [said] = (await impound(['verify', sealed.bag, '--json'])).values;
  assert.deepEqual([said?.['kind'], said?.['ok']], ['verification', true]);
});

test('a report is made of a bag that verifies, once, and of no other one', async () => {
  const [head = ''] = /(?<=chain head +)[0-9a-f]{64}/.exec(written.out) ?? [];
  const named = { pdf: /^%PDF-1\.7/, csv: new RegExp(head), jsonld: new RegExp(head) };
  for (const [format, words] of Object.entries(named)) {
    const file = join(folder, `report.${format}`);
    const done = await impound(['report', sealed.bag, '--out', file]);
    assert.equal(done.code, EXIT.ok, done.err);
    assert.match(await readFile(file, 'latin1'), words);
    const again = await impound(['report', sealed.bag, '--out', file]);
    assert.deepEqual([again.code, /exists/.test(again.err)], [EXIT.failed, true]);
  }
  const bag = join(folder, 'altered');
  await cp(sealed.bag, bag, { recursive: true });
  await appendFile(join(bag, 'bag-info.txt'), 'X: y\n');
  const refused = await impound(['report', bag, '--out', join(folder, 'altered.csv')]);
  assert.equal(refused.code, EXIT.findings);
  assert.ok(!(await readdir(folder)).includes('altered.csv'));
  const other = await impound(['report', sealed.bag, '--out', join(folder, 'report.docx')]);
  assert.equal(other.code, EXIT.usage);
});

test('an auditor reads the log of a case, and the next one sees who did', async () => {
  const data = ['--data', join(folder, 'data')];
  const file = join(folder, 'audit.jsonl');
  const read = ['audit', ...data, '--purpose', 'review', '--case', WHY[1] ?? ''];
  const done = await impound([...read, '--out', file]);
  assert.equal(done.code, EXIT.ok, done.err);
  const texts = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const types = texts.map((text) => JSON.parse(text).event.type);
  assert.equal(types[0], 'acquisition.requested.v1');
  assert.ok(types.includes('acquisition.sealed.v1') && !types.includes('audit.read.v1'));
  const again = await impound([...read, '--type', 'audit.read.v1', '--from', '2026-01-01']);
  assert.match(again.out, / {2}local {2}audit\.read\.v1 {2}review$/m);
  const none = await impound([...read, '--to', '2026-01-01', '--json']);
  assert.deepEqual(
    none.values.map(({ kind }) => kind),
    ['audit'],
  );
  assert.equal((await impound(['audit', ...data])).code, EXIT.usage);
});

test('a proof of one entry, of the seal or of all is verified without the platform', async () => {
  const data = ['--data', join(folder, 'data')];
  const [id = ''] = /(?<=acquisition )[0-9a-f-]{36}/.exec(written.out) ?? [];
  const chain = (await readFile(join(sealed.bag, 'custody/chain.jsonl'), 'utf8')).split('\n');
  const { id: event } = JSON.parse(chain[4] ?? '').event;
  const vkey = ['--vkey', join(sealed.bag, 'custody/log.vkey')];
  for (const [name, words, many] of [
    ['one', ['--event', event], 1],
    ['seal', ['--seal'], 1],
    ['all', [], chain.length - 1],
  ] as const) {
    const out = join(folder, `proof-${name}`);
    const done = await impound(['proof', id, ...words, ...data, '--out', out]);
    assert.equal(done.code, EXIT.ok, done.err);
    const entries = join(out, 'entries');
    const proofs = (await readdir(entries)).filter((file) => /\.(tlog-proof|spicy)$/.test(file));
    assert.equal(proofs.length, many * 2);
    const files = proofs.map((file) => join(entries, file));
    const good = await impound(['verify', ...files, ...vkey]);
    assert.equal(good.code, EXIT.ok, good.out);
    assert.equal(good.out.match(/^proven: /gm)?.length, files.length);
  }
  const one = join(folder, 'proof-one/entries/000005.json');
  await appendFile(one, ' ');
  const bad = await impound(['verify', `${one}.tlog-proof`]);
  assert.equal(bad.code, EXIT.proof);
  assert.match(bad.out, /NOT PROVEN: proof-refused/);
  const none = await impound(['proof', id, '--index', '999', ...data, '--out', join(folder, 'no')]);
  assert.match(none.err, /no entry at 999 of the log/);
});

test('a log is proven to continue a checkpoint that somebody kept, and no other one', async () => {
  const kept = join(sealed.bag, 'custody/checkpoint');
  const vkey = ['--vkey', join(sealed.bag, 'custody/log.vkey')];
  const file = join(folder, 'grown.consistency');
  const data = ['--data', join(folder, 'data')];
  const done = await impound(['proof', '--known', kept, '--out', file, ...data]);
  assert.equal(done.code, EXIT.ok, done.err);
  const good = await impound(['verify', file, '--known', kept, ...vkey]);
  assert.equal(good.code, EXIT.ok, good.out);
  assert.match(good.out, /^proven: of \d+ leaves the first \d+ are those known$/m);
  const other = join(folder, 'other.checkpoint');
  const note = await readFile(kept, 'utf8');
  await writeFile(
    other,
    note.replace(/^(.*\n\d+\n)(.)/, (_, head, one) => head + (one === 'A' ? 'B' : 'A')),
  );
  const refused = await impound([
    'proof',
    '--known',
    other,
    '--out',
    `${file}2.consistency`,
    ...data,
  ]);
  assert.equal(refused.code, EXIT.history, refused.err);
  assert.match(refused.err, /does not continue the checkpoint that is known/);
  assert.equal((await impound(['verify', file, '--known', other, ...vkey])).code, EXIT.signature);
});

/** All files; of the entries of the chain and their proofs, which are many, the third. */
async function bagFiles(): Promise<readonly string[]> {
  const entries = await readdir(sealed.bag, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(sealed.bag.length + 1))
    .filter((file) => !file.startsWith('custody/entries/') || file.includes('/000003.'));
}

/** Damages a copy of the bag and verifies it: in this process, for there are many. */
async function damaged(damage: (bag: string) => Promise<void>): Promise<Ended> {
  const bag = join(folder, 'damaged');
  await rm(bag, { recursive: true, force: true });
  await cp(sealed.bag, bag, { recursive: true });
  await damage(bag);
  const text = { out: '', err: '' };
  const paper = (name: 'out' | 'err') => ({ write: (more: string) => (text[name] += more) });
  const printer = openPrinter(false, paper('out'), paper('err'));
  const args = readArguments(['verify', bag]);
  const code = await verify({ args, printer, environment: {} }, AbortSignal.timeout(280_000));
  const done = { code, ...text, values: [] };
  clean(done);
  return done;
}

test('one changed byte in any file of a bag is found', async () => {
  for (const file of await bagFiles()) {
    const done = await damaged(async (bag) => {
      const bytes = await readFile(join(bag, file));
      const middle = Math.floor(bytes.length / 2);
      bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
      await writeFile(join(bag, file), bytes);
    });
    // The tag manifest covers all others: what covers it is its own hash, told by export.
    assert.equal(done.code, EXIT.findings, `${file}: ${done.out}`);
    assert.match(done.out, /NOT VERIFIED/);
  }
});

test('a damaged bag ends the real command with 4, too', async () => {
  await damaged((bag) => rm(join(bag, 'custody', 'chain.jsonl')));
  const done = await impound(['verify', join(folder, 'damaged')]);
  assert.equal(done.code, EXIT.findings);
  clean(done);
});

test('a file that is missing from a bag is found', async () => {
  for (const file of await bagFiles()) {
    const done = await damaged((bag) => rm(join(bag, file)));
    assert.equal(done.code, EXIT.findings, `${file}: ${done.out}`);
  }
});

test('a chain that was cut or reordered is found', async () => {
  const cut = await damaged(async (bag) => {
    const file = join(bag, 'custody', 'chain.jsonl');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    await writeFile(file, `${lines.slice(0, 5).join('\n')}\n`);
  });
  assert.equal(cut.code, EXIT.findings);
  assert.match(cut.out, /chain-unsealed/);
  const swapped = await damaged(async (bag) => {
    const file = join(bag, 'custody', 'chain.jsonl');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    [lines[2], lines[3]] = [lines[3] ?? '', lines[2] ?? ''];
    await writeFile(file, `${lines.join('\n')}\n`);
  });
  assert.equal(swapped.code, EXIT.findings);
  assert.match(swapped.out, /chain-broken/);
});

test('a file added to a bag, a link in it, and no room for doubt', async () => {
  const more = await damaged((bag) => writeFile(join(bag, 'data', 'more.txt'), 'x'));
  assert.match(more.out, /object-not-sealed: .* \(data\/more\.txt\)/);
  assert.equal(more.code, EXIT.findings);
  const grown = await damaged((bag) =>
    appendFile(join(bag, 'custody', 'chain.jsonl'), 'no entry\n'),
  );
  assert.match(grown.out, /chain-line-invalid/);
  assert.equal(grown.code, EXIT.findings);
});
