// SPDX-License-Identifier: Apache-2.0
import type { Message, Reader, Way } from './wire.ts';

const LINE_END = '\r\n';
/** Where in its line a message says how many bytes follow: the last word. */
const WITH_BYTES = ['PUB', 'HPUB', 'MSG', 'HMSG'];
/** Words of a subject that tell what it is for; those after them name tenants and chains. */
const SUBJECT_WORDS = 3;
const API_WORDS = 4;

/** Reads both ways of one connection to nats-server; a message is called by verb and subject. */
export function busReader(): Reader {
  const rest: Record<Way, Buffer> = { in: Buffer.alloc(0), out: Buffer.alloc(0) };
  return {
    read: (way, bytes) => {
      const messages: Message[] = [];
      rest[way] = Buffer.concat([rest[way], bytes]);
      for (;;) {
        const message = firstIn(rest[way]);
        if (message === undefined) return messages;
        rest[way] = rest[way].subarray(message.bytes.length);
        messages.push(message);
      }
    },
  };
}

function firstIn(bytes: Buffer): Message | undefined {
  const line = bytes.indexOf(LINE_END);
  if (line < 0) return undefined;
  const words = bytes.toString('latin1', 0, line).trim().split(/\s+/);
  const verb = words[0]?.toUpperCase() ?? '';
  const followed = WITH_BYTES.includes(verb) ? Number(words.at(-1)) + LINE_END.length : 0;
  const end = line + LINE_END.length + followed;
  if (bytes.length < end) return undefined;
  const about = followed > 0 || verb === 'SUB' ? ` ${kindOf(words[1] ?? '')}` : '';
  return { label: verb + about, bytes: bytes.subarray(0, end) };
}

function kindOf(subject: string): string {
  const words = subject.split('.');
  if (words[0]?.startsWith('_INBOX')) return words[0];
  return words.slice(0, words[0] === '$JS' ? API_WORDS : SUBJECT_WORDS).join('.');
}
