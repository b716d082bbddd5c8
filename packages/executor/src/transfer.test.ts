// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { EvidenceFault } from '@impound/evidence/fault.ts';
import { CoverageLine, FileLine } from '@impound/evidence/manifest.ts';
import { verified, written } from '@impound/evidence/testing/specimen.ts';
import type { EvidenceWriter } from '@impound/evidence/writer.ts';
import type { CollectorFile, CollectorRecord } from './collector/records.ts';
import { content, covered, FOOTPRINT, file, OPEN, text } from './testing/records.ts';
import { footprintOf, nothingTransferred, transfer } from './transfer.ts';

/** What a capture says of these records, after it was found to be whole. */
async function captured(records: readonly CollectorRecord[]) {
  const so = nothingTransferred();
  const objects = await written(async (writer) => {
    for (const record of records) await transfer(record, writer, so);
  });
  assert.deepEqual((await verified(objects)).findings, []);
  const lines = objects.manifest
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return {
    so,
    files: lines.filter(({ kind }) => kind === 'file').map((line) => FileLine.parse(line)),
    coverage: lines
      .filter(({ kind }) => kind === 'coverage')
      .map((line) => CoverageLine.parse(line)),
  };
}

test('a file comes with its owner, mode, times and digest', async () => {
  const { files, coverage, so } = await captured([file('/etc/app', { content: content('hello') })]);
  const [line] = files;
  assert.equal(line?.tarPath, 'files/etc/app');
  assert.equal(line?.sha256, createHash('sha256').update('hello').digest('hex'));
  const { mode, uid, gid, size, mtime, atime } = line ?? {};
  assert.deepEqual({ mode, uid, gid, size }, { mode: '0640', uid: 7, gid: 8, size: 5 });
  assert.deepEqual([mtime, atime], ['2020-09-13T12:26:40Z', '2023-11-14T22:13:20.5Z']);
  assert.deepEqual(coverage, []);
  assert.deepEqual([so.files, so.contents, so.bytes], [1, 1, 5]);
});

const LISTED = [
  [{ type: 'directory' }, { type: 'directory', tarPath: 'files/x' }],
  [
    { type: 'symlink', link: Buffer.from('../y') },
    { type: 'symlink', tarPath: 'files/x', link: '../y' },
  ],
  [{ type: 'symlink' }, { type: 'symlink' }],
  [{ type: 'fifo' }, { type: 'fifo' }],
  [{ type: 'socket' }, { type: 'socket' }],
  [
    { type: 'block-device', deviceNode: '8,1f' },
    { type: 'device', device: { major: 8, minor: 31 } },
  ],
  [{ type: 'character-device', deviceNode: 'x,1' }, { type: 'device' }],
  [{ type: 'unknown' }, { type: 'file' }],
  [
    { withheld: 'private-key', size: 411 },
    { type: 'file', size: 411, because: 'private-key' },
  ],
] as const;

for (const [more, expected] of LISTED) {
  test(`a ${Object.values(more).join(' ')} without content is told of as it is`, async () => {
    const { files, coverage } = await captured([file('/x', more)]);
    const { type, tarPath, link, device, because, size } = files[0] ?? {};
    const seen = JSON.parse(JSON.stringify({ type, tarPath, link, device, because, size }));
    assert.deepEqual(seen, { size: 0, ...expected });
    assert.deepEqual(coverage, []);
  });
}

test('texts, the opening and the footprint lie in the volatile area', async () => {
  const records = [OPEN, text('/proc/stat'), text('process/stat'), FOOTPRINT, covered('clock')];
  const { files, coverage, so } = await captured(records);
  assert.deepEqual(
    files.map(({ tarPath }) => tarPath),
    ['collector/open.json', 'proc/stat', 'process/stat', 'collector/footprint.json'].map(
      (name) => `volatile/${name}`,
    ),
  );
  assert.deepEqual(coverage, [{ kind: 'coverage', asked: 'clock', verdict: 'got' }]);
  assert.equal(so.footprint, FOOTPRINT);
});

test('a trailer and a beat write nothing', async () => {
  const trailer = { kind: 'trailer', records: 1, files: 0, bytes: 0, refused: 0 } as const;
  const beat: CollectorRecord = { kind: 'beat', uptimeSeconds: 9 };
  const { files, coverage, so } = await captured([beat, { ...trailer, state: 'complete' }]);
  assert.deepEqual([files, coverage], [[], []]);
  assert.equal(so.trailer?.state, 'complete');
});

const FLAWED: readonly (readonly [string, CollectorFile, RegExp])[] = [
  [
    'shrank',
    file('/x', { content: content('half\0\0\0\0', { flags: ['shrunk'], read: 4 }) }),
    /^it shrank while it was read: all from byte 4 on to 8 are zeros of the collector$/,
  ],
  ['grew', file('/x', { content: content('a', { flags: ['grown'] }) }), /^it grew .* is missing$/],
  [
    'changed',
    file('/x', { content: content('a', { flags: ['changed'] }) }),
    /^it changed while it was read$/,
  ],
  [
    'is above the limit',
    file('/x', { size: 900, content: content('first', { flags: ['capped'] }) }),
    /^only 5 bytes from byte 0 on, of 900: it is larger than the limit for one file$/,
  ],
  [
    'is the tail of a log',
    file('/x', { size: 65_541, offset: 65_536, content: content('tail!', { flags: ['capped'] }) }),
    /^only 5 bytes from byte 65536 on, of 65541: it is larger than the limit/,
  ],
  [
    'was altered on the way',
    file('/x', { content: content('a', { fault: 'digest-mismatch' }) }),
    /^altered on the way: the digest made in the target differs$/,
  ],
  [
    'lay in an altered pack',
    file('/x', { content: content('a', { fault: 'digest-mismatch', covered: 'pack' }) }),
    /^altered on the way: .* over it and the files sent with it differs$/,
  ],
  [
    'has many flaws',
    file('/x', {
      size: 9,
      content: content('a', { flags: ['shrunk', 'changed', 'capped'], fault: 'digest-mismatch' }),
    }),
    /^only 1 .*; altered .*; it shrank .*; it changed/,
  ],
];

for (const [what, record, because] of FLAWED) {
  test(`a file that ${what} is kept, with one line that says so`, async () => {
    const { files, coverage } = await captured([record]);
    assert.equal(files[0]?.tarPath, 'files/x');
    assert.equal(coverage.length, 1);
    assert.match(coverage[0]?.because ?? '', because);
    assert.deepEqual([coverage[0]?.asked, coverage[0]?.verdict], ['/x', 'partial']);
  });
}

test('a text that was cut is partial', async () => {
  const { coverage } = await captured([text('process/maps', { cut: true })]);
  assert.deepEqual(
    coverage.map(({ asked, because }) => [asked, because]),
    [['process/maps', 'cut at its limit']],
  );
});

test('what came before says nothing new when it comes again', async () => {
  const twice = [file('/x', { content: content('one') }), file('/x', { content: content('two') })];
  const { files, coverage, so } = await captured([...twice, text('a'), text('/a'), OPEN, OPEN]);
  assert.deepEqual(
    files.map(({ tarPath }) => tarPath),
    ['files/x', 'volatile/a', 'volatile/collector/open.json'],
  );
  assert.deepEqual(coverage, []);
  assert.equal(so.bytes, 12);
});

const HOSTILE = [
  ['lies beneath a file', file('/good/x', { content: content('x') }), '/good/x'],
  ['escapes', file('/../etc/passwd', { content: content('x') }), '/../etc/passwd'],
  ['is relative', file('etc', { type: 'directory' }), 'etc'],
  ['holds a NUL', file('/a\0b', { content: content('x') }), '/a\0b'],
  ['is empty', file('', { content: content('x') }), '(a thing without a name)'],
  ['is an empty text', text(''), '(a thing without a name)'],
  ['escapes as a text', text('../../x'), '../../x'],
  ['has an impossible time', file('/t', { mtime: '9'.repeat(16), type: 'directory' }), '/t'],
] as const;

for (const [what, record, asked] of HOSTILE) {
  test(`a name that ${what} costs nobody else`, async () => {
    const good = file('/good', { content: content('good') });
    const { files, coverage } = await captured([good, record, file('/z', { type: 'directory' })]);
    const wanted = ['files/good', ...(asked === '/t' ? ['files/t'] : []), 'files/z'];
    assert.deepEqual(
      files.map(({ tarPath }) => tarPath),
      wanted,
    );
    if (asked !== '/t')
      assert.deepEqual(
        coverage.map((line) => line.asked),
        [asked],
      );
  });
}

test('a name of 8,192 bytes, none of them text, is kept under its digest', async () => {
  const path = Buffer.concat([Buffer.from('/'), Buffer.alloc(8_191, 0xff)]);
  const long = file(path, { content: content('long', { flags: ['grown'] }) });
  const { files, coverage } = await captured([long, file('/z')]);
  assert.match(files[0]?.tarPath ?? '', /^long\/[0-9a-f]{64}$/);
  assert.deepEqual(Buffer.from(files[0]?.pathBase64 ?? '', 'base64'), path);
  assert.equal(coverage[0]?.verdict, 'partial');
  assert.equal(files.length, 2);
});

test('coverage of nothing, or told by a target that takes a name of ours, ends nothing', async () => {
  const taken = [text('collector/footprint.json'), FOOTPRINT, { ...FOOTPRINT, filesRead: 99 }];
  const { so, coverage } = await captured([covered(''), ...taken]);
  assert.deepEqual(
    coverage.map(({ asked }) => asked),
    ['(a thing without a name)'],
  );
  assert.equal(so.footprint?.filesRead, 3);
});

/** A writer whose files are refused so. */
function refusing(error: Error, lines: string[]): EvidenceWriter {
  return {
    file: async () => Promise.reject(error),
    coverage: async ({ because = '' }: { because?: string }) => void lines.push(because),
  } as unknown as EvidenceWriter;
}

test('names that have no room are told of once', async () => {
  const lines: string[] = [];
  const so = nothingTransferred();
  const writer = refusing(new EvidenceFault('names-exhausted', 'at most 4 names'), lines);
  for (const path of ['/a', '/b', '/c']) {
    await transfer(file(path, { content: content('x') }), writer, so);
  }
  assert.deepEqual(lines, ['at most 4 names: what came later is missing']);
});

test('what the store says is not taken for a fault of the name', async () => {
  const error = new EvidenceFault('object-mismatch', 'the store holds other bytes');
  const writer = refusing(error, []);
  const record = file('/a', { content: content('x') });
  await assert.rejects(transfer(record, writer, nothingTransferred()), error);
});

test('a footprint counts what the collector told, or else what came', () => {
  const so = { ...nothingTransferred(), files: 9, contents: 4, received: 1_000 };
  const told = footprintOf({ ...so, footprint: FOOTPRINT }, { bytes: 77, touched: true });
  assert.deepEqual(told, {
    touched: true,
    processesStarted: 40,
    filesRead: 3,
    filesWritten: 0,
    bytesSent: 77,
    bytesReceived: 1_000,
    notes: ['access times: relatime'],
  });
  const untold = footprintOf(so, { bytes: 77, touched: true });
  assert.equal(untold.filesRead, 4);
  assert.deepEqual(untold.notes, ['the collector did not come to tell its own footprint']);
  assert.deepEqual(footprintOf(nothingTransferred(), { bytes: 0, touched: false }).notes, []);
});

test('what the way in changed is a touch, and hostile notes are made fit for the chain', () => {
  const notes = [`container \u0007added ${'\u{1f600}'.repeat(400)}`, ...Array(30).fill('more')];
  const { touched, notes: said } = footprintOf(
    nothingTransferred(),
    { bytes: 0, touched: false },
    notes,
  );
  assert.equal(touched, true);
  assert.ok(said.length <= 16);
  assert.ok(said.every((one) => one.isWellFormed() && one.length <= 512));
  assert.match(said[0] ?? '', /^container {2}added /);
});
