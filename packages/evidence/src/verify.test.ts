// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import type { FindingCode } from './finding.ts';
import { CONTENT, fileLine, forged, frame, type Lie, member, patched } from './testing/forged.ts';
import { pieces, verified, written } from './testing/specimen.ts';
import { verifyCapture } from './verify.ts';

const SIZELESS = { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } };

const twoFiles = { tar: [member('files/a'), member('files/b')] };
const twoLines = [fileLine('a'), fileLine('b')];
const link = member('files/l', Buffer.alloc(0), {
  type: 'symlink',
  mode: 0o777,
  link: Buffer.from('/etc'),
});
const linkLine = fileLine('l', { type: 'symlink', link: '/etc', size: 0, sha256: undefined });

function endsWith(text: string): (manifest: Buffer) => Buffer {
  return (manifest) => Buffer.concat([manifest, Buffer.from(text)]);
}

const LIES: readonly (readonly [string, Lie, readonly FindingCode[]])[] = [
  ['nothing', {}, []],
  ['two files in another order', { ...twoFiles, lines: twoLines.toReversed() }, ['order-differs']],
  ['a member too many', { ...twoFiles }, ['member-extra']],
  ['a member too few', { lines: twoLines }, ['member-missing']],
  [
    'other content',
    { tar: [member('files/a', Buffer.from('toor:x:0:0\n'))] },
    ['content-mismatch'],
  ],
  ['another owner', { tar: [member('files/a', CONTENT, { uid: 1 })] }, ['metadata-mismatch']],
  ['another mode', { lines: [fileLine('a', { mode: '0777' })] }, ['metadata-mismatch']],
  [
    'another time',
    { lines: [fileLine('a', { mtime: '2026-11-23T05:00:00Z' })] },
    ['metadata-mismatch'],
  ],
  [
    'the same member twice',
    { tar: [member('files/a'), member('files/a')] },
    ['member-duplicate', 'member-extra'],
  ],
  [
    'a member that leaves the tree',
    { tar: [member('files/a'), member('files/../../etc/cron.d/x')] },
    ['member-refused', 'member-extra'],
  ],
  [
    'an absolute member',
    { tar: [member('files/a'), member('/etc/cron.d/x')] },
    ['member-refused', 'member-extra'],
  ],
  [
    'a member elsewhere',
    { tar: [member('files/a'), member('README.txt')] },
    ['member-refused', 'member-extra'],
  ],
  [
    'a member beneath a link',
    { tar: [link, member('files/l/passwd')], lines: [linkLine, fileLine('l/passwd')] },
    ['member-conflict'],
  ],
  [
    'a link that points elsewhere',
    { tar: [link], lines: [{ ...linkLine, link: '/' }] },
    ['metadata-mismatch'],
  ],
  [
    'a hard link',
    { tar: [member('files/a'), patched('files/h', 156, '1').subarray(0, 512)] },
    ['tar-broken'],
  ],
  ['a header with a user name', { tar: [patched('files/a', 265, 'root')] }, ['header-not-exact']],
  [
    'a header that pax and ustar tell differently',
    { tar: [patched('files/a', 345, 'prefix')] },
    ['header-not-exact'],
  ],
  [
    'bytes hidden in padding',
    { tar: [Buffer.concat([member('files/a').subarray(0, -1), Buffer.from('x')])] },
    ['padding-not-zero'],
  ],
  [
    'bytes behind the end of the tar',
    { frames: (tar) => frame(Buffer.concat([tar, Buffer.from('x')])) },
    ['trailing-data', 'archive-mismatch'],
  ],
  [
    'a tar without its end',
    { frames: (tar) => frame(tar.subarray(0, -1_024)) },
    ['tar-truncated', 'archive-mismatch'],
  ],
  [
    'a tar that ends in a member',
    { frames: (tar) => frame(tar.subarray(0, 515)) },
    ['tar-truncated', 'archive-mismatch', 'member-missing'],
  ],
  [
    'text behind the last frame',
    { frames: (tar) => Buffer.concat([frame(tar), Buffer.from('hidden')]) },
    ['frame-refused'],
  ],
  [
    'a skippable frame',
    {
      frames: (tar) => Buffer.concat([frame(tar), Buffer.from('502a4d18020000006869', 'hex')]),
    },
    ['frame-refused'],
  ],
  [
    'a frame without its size',
    { frames: (tar) => zstdCompressSync(tar, SIZELESS) },
    ['frame-refused', 'member-missing'],
  ],
  [
    'half a frame',
    { frames: (tar) => frame(tar).subarray(0, 40) },
    ['archive-truncated', 'member-missing'],
  ],
  ['a wrong count of files', { end: { files: 2 } }, ['end-mismatch']],
  ['a wrong count of bytes', { end: { bytes: 1 } }, ['end-mismatch']],
  ['a wrong digest of lines', { end: { sha256: '0'.repeat(64) } }, ['end-mismatch']],
  ['an end with a word of its own', { end: { note: 'x' } }, ['line-invalid', 'end-missing']],
  [
    'no end',
    { manifest: (bytes) => bytes.subarray(0, bytes.lastIndexOf('\n', -2) + 1) },
    ['end-missing'],
  ],
  [
    'a line behind the end',
    { manifest: endsWith('{"at":"x","kind":"y"}\n') },
    ['line-after-end', 'line-invalid'],
  ],
  [
    'no newline at the end',
    { manifest: (bytes) => bytes.subarray(0, -1) },
    ['line-invalid', 'end-missing'],
  ],
  [
    'a line that is no JSON',
    { manifest: (bytes) => Buffer.concat([bytes, Buffer.from('{\n')]) },
    ['line-after-end', 'line-invalid'],
  ],
  [
    'a line with a space',
    {
      manifest: (bytes) => Buffer.from(bytes.toString().replace(',"kind":"end"', ', "kind":"end"')),
    },
    ['line-not-canonical'],
  ],
  [
    'no header',
    { manifest: (bytes) => bytes.subarray(bytes.indexOf('\n') + 1) },
    ['header-missing', 'end-mismatch'],
  ],
  [
    'a name mapped elsewhere',
    { lines: [fileLine('a', { path: '/b' })] },
    ['line-invalid', 'member-extra'],
  ],
  [
    'bytes that contradict a name',
    { lines: [fileLine('a', { pathBase64: 'L2E=' })] },
    ['line-invalid', 'member-extra'],
  ],
  [
    'content without a digest',
    { lines: [fileLine('a', { sha256: undefined })] },
    ['line-invalid', 'member-extra', 'end-mismatch'],
  ],
  ['an overlong line', { manifest: endsWith(`${' '.repeat(1_048_577)}\n`) }, ['line-too-long']],
];

for (const [name, lie, codes] of LIES) {
  test(`a capture with ${name} gives ${codes.join(', ') || 'no finding'}`, async () => {
    const report = await verified(forged(lie));
    const found = new Set(report.findings.map(({ code }) => code));
    for (const code of codes) assert.ok(found.has(code), JSON.stringify(report.findings));
    if (codes.length === 0) assert.deepEqual(report.findings, []);
    assert.equal(report.ok, codes.length === 0);
  });
}

test('damage in one frame is named and leaves the files of other frames verified', async () => {
  const big = randomBytes(12 * 1_024 * 1_024);
  const objects = await written(async (writer) => {
    await writer.file({ area: 'files', path: '/one' }, big);
    await writer.file({ area: 'files', path: '/two' }, CONTENT);
  });
  const archive = Buffer.from(objects.archive);
  const middle = Math.floor(archive.length / 2);
  archive[middle] = (archive[middle] ?? 0) ^ 0xff;
  const report = await verified({ ...objects, archive });
  const found = report.findings.map(({ code, where }) => `${code} ${where}`);
  const expected = [
    'frame-broken archive',
    'content-mismatch files/one',
    'archive-mismatch archive',
  ];
  assert.deepEqual(found, expected);
});

test('an archive that unpacks to more than allowed is not unpacked any further', async () => {
  const { archive, manifest } = forged({});
  const capture = { archive: pieces(archive), manifest: pieces(manifest), bytesMax: 100 };
  const report = await verifyCapture(capture, AbortSignal.timeout(280_000));
  assert.ok(report.findings.some(({ code }) => code === 'limit-exceeded'));
});

test('a frame that claims more than 64 MiB is refused before it is unpacked', async () => {
  const bomb = Buffer.from('28b52ffd a0 01000004 010000'.replaceAll(' ', ''), 'hex');
  const report = await verified({ ...forged({}), archive: bomb });
  assert.ok(report.findings.some(({ code }) => code === 'frame-too-large'));
});

test('thousands of differences are counted, not kept', async () => {
  const lines = Array.from({ length: 3_000 }, (_, i) => fileLine(`f${i}`));
  const report = await verified(forged({ lines }));
  assert.equal(report.findings.length, 1_000);
  assert.ok(report.findingsLeftOut >= 2_000);
});

test('digests known from elsewhere are held against both objects', async () => {
  const { archive, manifest } = forged({});
  const expected = { archive: '0'.repeat(64), manifest: '1'.repeat(64) };
  const capture = { archive: pieces(archive), manifest: pieces(manifest), expected };
  const report = await verifyCapture(capture, AbortSignal.timeout(280_000));
  const codes = report.findings.map(({ code }) => code);
  assert.deepEqual(codes, ['archive-mismatch', 'manifest-mismatch']);
});

test('a stream that fails is a finding, an abort is not', async () => {
  const { manifest } = forged({});
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('(');
    throw Object.assign(new Error('read'), { code: 'EIO' });
  }
  const capture = { archive: failing(), manifest: pieces(manifest) };
  const report = await verifyCapture(capture, AbortSignal.timeout(280_000));
  assert.ok(
    report.findings.some(({ code, what }) => code === 'object-unreadable' && what === 'EIO'),
  );
  const aborted = verifyCapture(
    { ...capture, archive: failing() },
    AbortSignal.abort(new Error('stop')),
  );
  await assert.rejects(aborted, /stop/);
});
