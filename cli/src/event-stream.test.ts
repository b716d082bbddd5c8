// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventsOf, type Told } from './event-stream.ts';

async function* chunked(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let from = 0;
  for (const end of ends.toSorted((a, b) => a - b)) {
    yield bytes.subarray(from, end);
    from = end;
  }
}

async function read(text: string, cuts: readonly number[] = []): Promise<Told[]> {
  const found: Told[] = [];
  for await (const told of eventsOf(chunked(Buffer.from(text), cuts))) found.push(told);
  return found;
}

const LINE_ENDS = ['\n', '\r\n', '\r'];

const sent = fc.record({
  event: fc.constantFrom('progress', 'acquisition.sealed.v1'),
  id: fc.option(fc.nat().map(String), { nil: undefined }),
  data: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
  beats: fc.nat(2),
});

test('however a stream is cut into chunks, the same events come out', async () => {
  const streams = fc.tuple(fc.array(sent), fc.constantFrom(...LINE_ENDS), fc.array(fc.nat()));
  await fc.assert(
    fc.asyncProperty(streams, async ([events, end, cuts]) => {
      const text = events
        .map(({ event, id, data, beats }) => {
          const lines = [...(id === undefined ? [] : [`id: ${id}`]), `event: ${event}`];
          const beat = `: beat${end}${end}`.repeat(beats);
          return `${beat}${[...lines, `data: ${JSON.stringify(data)}`, '', ''].join(end)}`;
        })
        .join('');
      const found = await read(text, cuts);
      let last = '';
      const wanted = events.map(({ event, id, data }) => {
        last = id ?? last;
        return { event, id: last, data: JSON.parse(JSON.stringify(data)) };
      });
      assert.deepEqual(found, wanted);
    }),
  );
});

const STREAMS: readonly (readonly [string, string, readonly Told[]])[] = [
  ['without a name is a message', 'data: {}\n\n', [{ event: 'message', id: '', data: {} }]],
  ['of two data lines is one text', 'data: {"a":\ndata:1}\n\n', [told({ a: 1 })]],
  ['that has not ended is none', 'data: {"a":1}\n', []],
  ['without data is none', 'event: x\nid: 1\n\n', []],
  ['after a retry line is read', 'retry: 2000\n\ndata: {"a":1}\n\n', [told({ a: 1 })]],
  ['after an unknown field is read', 'color: red\nfield\ndata: {}\n\n', [told({})]],
];
for (const [what, text, wanted] of STREAMS) {
  test(`an event ${what}`, async () => assert.deepEqual(await read(text), wanted));
}

function told(data: Record<string, unknown>): Told {
  return { event: 'message', id: '', data };
}

const FAULTY: readonly (readonly [string, string, RegExp])[] = [
  ['is no JSON', 'data: <html>\n\n', /JSON/],
  ['is JSON but no object', 'data: [1]\n\n', /no JSON object/],
  ['has no end', `data: ${'x'.repeat(1_100_000)}`, /more than/],
  ['grows by lines', 'data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n'.repeat(40_000), /more than/],
];
for (const [what, text, words] of FAULTY) {
  test(`what ${what} is refused and not kept`, async () => {
    await assert.rejects(read(text), words);
  });
}
