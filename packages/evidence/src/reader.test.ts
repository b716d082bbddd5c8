// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evidenceMembers } from './reader.ts';
import { forged, member } from './testing/forged.ts';
import { pieces, written } from './testing/specimen.ts';

const { signal } = new AbortController();

test('a reader gets the members in order, and may leave the content of any', async () => {
  const { archive } = await written(async (writer) => {
    for (const name of ['one', 'two', 'three', 'four']) {
      await writer.file({ area: 'files', path: `/${name}` }, Buffer.from(name.repeat(2_000)));
    }
  });
  const seen: string[] = [];
  for await (const { name, content } of evidenceMembers(pieces(archive), signal)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) {
      chunks.push(chunk);
      if (name.toString() === 'files/two') break;
    }
    const bytes = name.toString() === 'files/three' ? Buffer.concat(chunks).length : 'left';
    seen.push(`${name} ${bytes}`);
  }
  assert.deepEqual(seen, [
    'files/one left',
    'files/two left',
    'files/three 10000',
    'files/four left',
  ]);
});

for (const name of ['files/../x', '/etc/passwd', 'elsewhere', 'files/a']) {
  test(`a reader refuses a second member ${name} behind files/a`, async () => {
    const { archive } = forged({ tar: [member('files/a'), member(name)] });
    const reading = Array.fromAsync(evidenceMembers(pieces(archive), signal));
    await assert.rejects(reading, { code: 'archive-refused' });
  });
}

test('a reader stops at a frame that does not unpack', async () => {
  const { archive } = forged({});
  archive[archive.length - 1] = (archive.at(-1) ?? 0) ^ 1;
  const reading = Array.fromAsync(evidenceMembers(pieces(archive), signal));
  await assert.rejects(reading, { code: 'frame-broken' });
});
