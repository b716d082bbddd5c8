// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { busReader } from './bus-steps.ts';
import { postgresReader } from './postgres-steps.ts';
import type { Reader, Way } from './wire.ts';

function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

/** Whatever pieces a network makes of the bytes, the messages are the same. */
function readInPieces(reader: Reader, way: Way, bytes: Buffer, size: number): string[] {
  const labels: string[] = [];
  const whole: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    for (const one of reader.read(way, bytes.subarray(at, at + size))) {
      labels.push(one.label);
      whole.push(one.bytes);
    }
  }
  assert.deepEqual(Buffer.concat(whole), bytes);
  return labels;
}

const INSERT = 'with batch as (insert into ledger_batch (a) values ($1)) insert into ledger_entry';
const SESSION = [
  message('', '\0\x03\0\0user\0w\0\0'),
  message('P', 's1\0', INSERT, '\0\0\0'),
  message('B', '\0s1\0\0\0\0\0\0\0'),
  message('E', '\0\0\0\0\0'),
  message('S'),
];

for (const size of [1, 7, 4_096]) {
  test(`a message to PostgreSQL is called by its statement, in pieces of ${size}`, () => {
    const reader = postgresReader();
    const insert = 'insert ledger_batch, insert ledger_entry';
    assert.deepEqual(readInPieces(reader, 'in', Buffer.concat(SESSION), size), [
      'Startup: session',
      ...['Parse', 'Bind', 'Execute', 'Sync'].map((kind) => `${kind}: ${insert}`),
    ]);
    const answers = [message('K', '\0\0\0\x07\0\0\0\0'), message('1'), message('Z', 'I')];
    const kinds = ['BackendKeyData', 'ParseComplete', 'ReadyForQuery'];
    assert.deepEqual(
      readInPieces(reader, 'out', Buffer.concat(answers), size),
      kinds.map((kind) => `${kind}: ${insert}`),
    );
    assert.equal(reader.pid?.(), 7);
  });

  test(`a message of the bus is called by its subject, in pieces of ${size}`, () => {
    const subject = 'impound.v1.event.acquisition.sealed._.default.x';
    const bytes = Buffer.from(`PING\r\nHPUB ${subject} _INBOX_l.1 4 9\r\nab\r\n\r\nxyz\r\n`);
    const labels = readInPieces(busReader(), 'in', bytes, size);
    assert.deepEqual(labels, ['PING', 'HPUB impound.v1.event']);
  });
}
