// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CollectorFault, type CollectorFaultCode } from './fault.ts';
import { COLLECTOR_LIMITS, parseCollectorStream } from './parse.ts';
import type { CollectorRecord, ContentEnd } from './records.ts';

type Taken = CollectorRecord & { readonly data?: string; readonly end?: ContentEnd };

const sha = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex');
const STAT =
  'atime=1.000000001 mode=81a4 uid=0 gid=0 mtime=2 ctime=3 dev=1 ino=2 nlink=1 blocks=8 rdev=0,0';
const OPEN =
  'IMPOUND-COLLECTOR 1\nopen seq=1 profile=volatile pid=7 watchdog=8 uid=0 gid=0 time=1 uptime=2 ' +
  'digest=sha256sum missing=-\n';
const TEXT = `text seq=2 name=5 bytes=4 sha256=${sha('tick')} cut=0\nclocktick\n`;
const FILE =
  `file seq=3 path=4 link=0 ${STAT} size=6 offset=0 content=6 why=-\n/a\nb\nabcdef\n` +
  `end sha256=${sha('abcdef')} read=6 flags=-\n`;
const PACK =
  `item path=2 ${STAT} size=2\n/x\nitem path=2 ${STAT} size=3\n/y\npack seq=4 files=2 bytes=5\n` +
  `xxyyy\nend sha256=${sha('xxyyy')} state=settled\n`;
const COVERAGE = 'coverage seq=5 item=2 state=partial reason=cap files=3 bytes=11\n/a\n';
const TRAILER = 'trailer seq=6 records=5 files=3 bytes=15 refused=0 state=complete\n';
const WHOLE = `${OPEN}${TEXT}${FILE}${PACK}${COVERAGE}${TRAILER}IMPOUND-END 6\n`;

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer | string, size = 65_536, limits = COLLECTOR_LIMITS) {
  const records: Taken[] = [];
  const stream = inPieces(Buffer.from(bytes as string, 'latin1'), size);
  for await (const record of parseCollectorStream(stream, limits)) {
    const content = 'content' in record ? record.content : undefined;
    if (!content) records.push(record);
    else {
      const data = Buffer.concat(await Array.fromAsync(content)).toString('latin1');
      records.push({ ...record, data, end: content.end(sha(data)) });
    }
  }
  return records;
}

const isFault = (code: CollectorFaultCode) => (error: unknown) =>
  error instanceof CollectorFault && error.code === code;
const refuses = (bytes: string, code: CollectorFaultCode, limits = COLLECTOR_LIMITS) =>
  assert.rejects(read(bytes, 7, limits), isFault(code));

for (const size of [1, 3, 1_000]) {
  test(`a stream in pieces of ${size} bytes gives its records and contents`, async () => {
    const records = await read(WHOLE, size);
    const kinds = records.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['open', 'text', 'file', 'file', 'file', 'coverage', 'trailer']);
    assert.deepEqual(
      records.map(({ data }) => data).filter((data) => data !== undefined),
      ['tick', 'abcdef', 'xx', 'yyy'],
    );
    assert.deepEqual(records[2]?.end, {
      sha256: sha('abcdef'),
      covered: 'alone',
      flags: [],
      read: 6,
    });
    assert.equal(records[4]?.end?.covered, 'pack');
  });
}

test('a content that nobody reads is skipped and the next record stands', async () => {
  const kinds: string[] = [];
  for await (const record of parseCollectorStream(inPieces(Buffer.from(WHOLE, 'latin1'), 5))) {
    kinds.push(record.kind);
  }
  assert.equal(kinds.at(-1), 'trailer');
});

test('a content does not tell its end before its last byte was read', async () => {
  for await (const record of parseCollectorStream(inPieces(Buffer.from(WHOLE, 'latin1'), 5))) {
    if (record.kind !== 'file') continue;
    assert.throws(() => record.content?.end(''), /have been read/);
    break;
  }
});

test('a content is pulled: nothing behind it is read until its reader has gone on', async () => {
  let pulled = 0;
  async function* counted() {
    for await (const piece of inPieces(Buffer.from(WHOLE, 'latin1'), 1)) {
      pulled += 1;
      yield piece;
    }
  }
  const records = parseCollectorStream(counted());
  await records.next();
  assert.equal(pulled, OPEN.length);
  await records.return();
});

test('bytes that were altered on the way are told with the content, alone or in a pack', async () => {
  const alone = await read(WHOLE.replace('abcdef', 'abcdeF'));
  assert.equal(alone[2]?.end?.fault, 'digest-mismatch');
  const packed = await read(WHOLE.replace('xxyyy\n', 'xxyyz\n'));
  assert.deepEqual(packed.map(({ end }) => end?.fault).filter(Boolean), [
    'digest-mismatch',
    'digest-mismatch',
  ]);
  const text = await read(WHOLE.replace('clocktick', 'clocktock'));
  assert.equal(text[1]?.end?.fault, 'digest-mismatch');
});

test('a target without a digest tool covers nothing, and says so', async () => {
  const records = await read(WHOLE.replaceAll(/sha256=[0-9a-f]+/g, 'sha256=-'));
  assert.deepEqual(records.map(({ end }) => end?.covered).filter(Boolean), [
    'none',
    'none',
    'none',
    'none',
  ]);
});

test('a pack that moved is left out: its files come again alone', async () => {
  const moved = WHOLE.replace('state=settled', 'state=moved').replace('files=3', 'files=1');
  await refuses(moved, 'garbage');
  const counted = moved.replace('records=5 files=3', 'records=5 files=1');
  const records = await read(counted);
  assert.equal(records.filter(({ kind }) => kind === 'file').length, 1);
});

test('every beginning of a stream that is not the whole of it is truncated', async () => {
  for (let length = 0; length < WHOLE.length; length += 1) {
    // Every beginning in pieces of another size.
    const pieces = read(WHOLE.slice(0, length), 1 + (length % 97));
    await assert.rejects(pieces, isFault('truncated'));
  }
});

const huge = 'x'.repeat(5_000);
for (const [what, bytes, code] of [
  ['another first line', 'sh: not found\n', 'garbage'],
  ['a first line without an end', huge, 'garbage'],
  ['another version', WHOLE.replace('COLLECTOR 1', 'COLLECTOR 2'), 'unexpected-version'],
  ['a header that never ends', `${OPEN}${huge}`, 'too-large'],
  ['a number left out', WHOLE.replace('seq=3', 'seq=4'), 'garbage'],
  ['a kind nobody knows', WHOLE.replace('coverage seq', 'surprise seq'), 'garbage'],
  ['a second open record', WHOLE.replace(/text .*\n.*\n/, OPEN.slice(20)), 'garbage'],
  ['a length that is too short', WHOLE.replace('content=6', 'content=5'), 'garbage'],
  ['a length beyond all numbers', WHOLE.replace('path=4', 'path=99999999999999999'), 'garbage'],
  ['a path of a gigabyte', WHOLE.replace('path=4', 'path=1073741824'), 'too-large'],
  [
    'a pack of a gigabyte',
    WHOLE.replace('files=2 bytes=5', 'files=2 bytes=1073741824'),
    'too-large',
  ],
  ['a text of a gigabyte', WHOLE.replace('bytes=4', 'bytes=1073741824'), 'too-large'],
  ['a pack that does not add up', WHOLE.replace('bytes=5', 'bytes=6'), 'garbage'],
  ['a pack that lacks one', WHOLE.replace('files=2', 'files=1'), 'garbage'],
  [
    'a file whose pack never comes',
    WHOLE.replace(/(item path=2 [\s\S]*?\n)(pack[\s\S]*?end.*\n)/, '$2$1'),
    'garbage',
  ],
  [
    'too many files in a pack',
    WHOLE.replace(/(item path=2 [\s\S]*?size=2\n\/x\n)/, (item) => item.repeat(257)),
    'too-large',
  ],
  ['a trailer that counts otherwise', WHOLE.replace('bytes=15', 'bytes=16'), 'garbage'],
  ['a trailer without its end marker', WHOLE.replace('-END 6', '-END 7'), 'garbage'],
  ['something behind the end marker', `${WHOLE}x`, 'garbage'],
  ['a field twice', WHOLE.replace('pid=7', 'pid=7 pid=7'), 'garbage'],
  ['a state nobody knows', WHOLE.replace('state=partial', 'state=perhaps'), 'garbage'],
] as const) {
  test(`${what} is ${code}`, () => refuses(bytes, code));
}

test('what answers instead of a collector is called so, whether its first line ends or not', async () => {
  for (const answer of ['sh: not found\n', huge]) {
    await assert.rejects(read(answer), /what answered is no collector/);
  }
});

test('limits on records and on bytes hold', async () => {
  await refuses(WHOLE, 'too-large', { ...COLLECTOR_LIMITS, recordsMax: 3 });
  await refuses(WHOLE, 'too-large', { ...COLLECTOR_LIMITS, bytesMax: 8 });
});

async function survives(bytes: Buffer, size: number): Promise<void> {
  try {
    const records = await read(bytes, size);
    assert.equal(records.at(-1)?.kind, 'trailer');
  } catch (error) {
    if (!(error instanceof CollectorFault)) throw error;
  }
}

test('arbitrary bytes end in a fault, never in a crash', async () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), fc.integer({ min: 1, max: 64 }), (some, opened, size) =>
      survives(Buffer.concat([Buffer.from(opened ? OPEN : ''), some]), size),
    ),
    { numRuns: 300 },
  );
});

test('a stream with bytes changed, dropped or doubled is a fault or whole, never a crash', async () => {
  const at = fc.nat(WHOLE.length - 1);
  const change = fc.record({ at, byte: fc.nat(255), drop: fc.nat(9), double: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let bytes = Buffer.from(WHOLE, 'latin1');
      for (const { at, byte, drop, double } of changes) {
        const kept = double ? bytes.subarray(Math.max(0, at - drop)) : bytes.subarray(at + drop);
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), kept]);
      }
      await survives(bytes, 50);
    }),
    { numRuns: 500 },
  );
});
