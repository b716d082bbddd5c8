// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FileLine, nameBytes } from './manifest.ts';
import { memorySink } from './testing/memory-sink.ts';
import { HEADER, verified, written } from './testing/specimen.ts';
import { evidenceWriter } from './writer.ts';

const { signal } = new AbortController();

// Mostly short, for drawing bytes is what costs here; names longer than a tar field are among them.
const bytesOfName = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }) },
);
const component = bytesOfName
  .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x5c : byte)))
  .filter((bytes) => !bytes.every((byte) => byte === 0x2e));
const path = fc
  .array(component, { minLength: 1, maxLength: 20 })
  .map((parts) => Buffer.concat(parts.flatMap((part) => [Buffer.from('/'), part])));
const time = fc
  .tuple(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), fc.nat(999_999_999))
  .map(([seconds, rest]) => `${seconds}.${String(rest).padStart(9, '0')}`);
const file = fc.record({
  area: fc.constant('files' as const),
  path,
  mode: fc.nat(0o7777),
  uid: fc.oneof(fc.nat(70_000), fc.maxSafeNat()),
  gid: fc.oneof(fc.nat(70_000), fc.maxSafeNat()),
  mtime: time,
  ctime: fc.option(time, { nil: undefined }),
  content: fc.uint8Array({ maxLength: 600 }),
});

function pathsIn(manifest: Buffer): (string | undefined)[] {
  const lines = manifest.toString().trimEnd().split('\n').slice(1, -1);
  return lines.map((line) => {
    const { path, pathBase64 } = FileLine.parse(JSON.parse(line));
    return nameBytes(path, pathBase64)?.toString('hex');
  });
}

test('any name, mode, owner, time and content survives writing and reading', async () => {
  const files = fc.uniqueArray(file, {
    maxLength: 8,
    selector: (one) => Buffer.from(one.path.subarray(0, 2)).toString('latin1'),
  });
  await fc.assert(
    fc.asyncProperty(files, async (all) => {
      const objects = await written(async (writer) => {
        for (const { content, ...meta } of all) await writer.file(meta, content);
      });
      const report = await verified(objects);
      assert.deepEqual(report.findings, []);
      assert.equal(report.files, all.length);
      assert.equal(
        report.bytes,
        all.reduce((sum, { content }) => sum + content.length, 0),
      );
      assert.deepEqual(
        pathsIn(objects.manifest),
        all.map(({ path }) => path.toString('hex')),
      );
    }),
    { numRuns: 60 },
  );
});

test('a flipped bit anywhere in either object is a finding', async () => {
  const objects = await written(async (writer) => {
    await writer.directory({ area: 'files', path: '/etc' });
    await writer.file({ area: 'files', path: '/etc/passwd' }, Buffer.from('root:x:0:0\n'));
    await writer.symlink({ area: 'files', path: '/bin', target: 'usr/bin' });
    await writer.coverage({ asked: 'memory', verdict: 'denied', because: 'EPERM' });
  });
  const where = fc.tuple(fc.constantFrom('archive' as const, 'manifest' as const), fc.nat());
  await fc.assert(
    fc.asyncProperty(where, fc.integer({ min: 0, max: 7 }), async ([object, position], bit) => {
      const bytes = Buffer.from(objects[object]);
      const at = position % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const report = await verified({ ...objects, [object]: bytes });
      assert.equal(report.ok, false, `${object} byte ${at} bit ${bit}`);
    }),
    { numRuns: 300 },
  );
});

test('an object cut short anywhere is a finding', async () => {
  const objects = await written(async (writer) => {
    await writer.file({ area: 'files', path: '/a' }, Buffer.alloc(3_000, 'a'));
  });
  const cut = fc.tuple(fc.constantFrom('archive' as const, 'manifest' as const), fc.nat());
  await fc.assert(
    fc.asyncProperty(cut, async ([object, position]) => {
      const length = position % objects[object].length;
      const report = await verified({ ...objects, [object]: objects[object].subarray(0, length) });
      assert.equal(report.ok, false);
    }),
    { numRuns: 100 },
  );
});

test('arbitrary bytes in place of a capture are findings, never a crash', async () => {
  const bytes = fc.uint8Array({ maxLength: 4_000 }).map((array) => Buffer.from(array));
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (archive, manifest) => {
      assert.equal((await verified({ archive, manifest })).ok, false);
    }),
    { numRuns: 100 },
  );
});

test('content that does not keep its promise is padded, marked and told', async () => {
  const kept: (string | undefined)[] = [];
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc');
    throw new Error('the channel closed');
  }
  const objects = await written(async (writer) => {
    const meta = (name: string) => ({ area: 'files', path: `/${name}`, size: 5 }) as const;
    for (const [name, content] of [
      ['short', Buffer.from('abc')],
      ['long', Buffer.from('abcdefgh')],
      ['failed', failing()],
      ['right', Buffer.from('abcde')],
    ] as const) {
      const result = await writer.file(meta(name), content);
      kept.push(`${name} ${result.captured} ${result.fault?.code ?? 'whole'}`);
    }
  });
  assert.deepEqual(kept, [
    'short 3 content-short',
    'long 5 content-long',
    'failed 3 content-failed',
    'right 5 whole',
  ]);
  assert.deepEqual((await verified(objects)).findings, []);
  const lines = objects.manifest.toString().split('\n');
  const partial = lines.filter((line) => line.includes('"partial":{"because"'));
  assert.equal(partial.length, 3);
});

test('what is refused leaves the writer usable', async () => {
  const objects = await written(async (writer) => {
    const content = Buffer.from('x');
    await writer.file({ area: 'files', path: '/a' }, content);
    await writer.symlink({ area: 'files', path: '/link', target: '/etc' });
    await writer.file({ area: 'files', path: '/d/e' }, content);
    const refusals = [
      ['/a', 'path-duplicate'],
      ['/a/b', 'path-conflict'],
      ['/link/passwd', 'path-conflict'],
      ['/d', 'path-conflict'],
      ['/../etc/passwd', 'path-refused'],
      ['/x/./y', 'path-refused'],
      ['/x//y', 'path-refused'],
      ['/x/', 'path-refused'],
      ['relative', 'path-refused'],
      ['/', 'path-refused'],
      ['/nul\0', 'path-refused'],
      ['/\ud800', 'path-refused'],
    ] as const;
    for (const [path, code] of refusals) {
      await assert.rejects(writer.file({ area: 'files', path }, content), { code }, path);
    }
    const meta = { area: 'files', path: '/b' } as const;
    const code = 'entry-refused';
    await assert.rejects(writer.file({ ...meta, uid: -1 }, content), { code });
    await assert.rejects(writer.file({ ...meta, mtime: '1e9' }, content), { code: 'time-refused' });
    await assert.rejects(writer.file({ ...meta, size: 2 ** 50 }, content), {
      code: 'file-too-large',
    });
    await writer.file(meta, content);
  });
  const report = await verified(objects);
  assert.deepEqual(report.findings, []);
  assert.equal(report.files, 4);
});

test('a sink that fails breaks the writer, and disposing gives up both objects', async () => {
  const aborted: string[] = [];
  const sink = memorySink();
  const failing = {
    object: async (name: string) => ({
      ...(await sink.object(name, signal)),
      complete: async () => {
        throw new Error('no room');
      },
      abort: async () => {
        aborted.push(name);
      },
    }),
  };
  {
    await using writer = await evidenceWriter({ sink: failing, header: HEADER }, signal);
    await assert.rejects(writer.end(), /no room/);
    const late = writer.coverage({ asked: 'x', verdict: 'got' });
    await assert.rejects(late, { code: 'writer-closed' });
  }
  assert.deepEqual(aborted.toSorted(), ['evidence.tar.zst', 'manifest.jsonl']);
});

test('a control-plane capture has names of its own', async () => {
  const sink = memorySink();
  const header = { ...HEADER, source: 'control-plane' } as const;
  await using writer = await evidenceWriter({ sink, header }, signal);
  await writer.file({ area: 'context', path: 'pod.json' }, Buffer.from('{}'));
  const { objects } = await writer.end({ finishedAt: '2026-11-23T05:00:01.000000Z' });
  const names = ['context.tar.zst', 'context-manifest.jsonl'];
  assert.deepEqual(
    objects.map(({ name }) => name),
    names,
  );
  assert.deepEqual([...sink.objects.keys()], names);
});

test('where one object of a capture is refused the other one is given up', async () => {
  const given: string[] = [];
  const sink = memorySink();
  const opening = evidenceWriter(
    {
      header: HEADER,
      sink: {
        object: async (name, until) => {
          if (name === 'manifest.jsonl') throw new Error('refused');
          const object = await sink.object(name, until);
          return { ...object, abort: async () => void given.push(name) };
        },
      },
    },
    signal,
  );
  await assert.rejects(opening, /refused/);
  assert.deepEqual(given, ['evidence.tar.zst']);
});
