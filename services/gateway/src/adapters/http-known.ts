// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { KNOWN_MAX } from '../domain/limits.ts';
import { senderOf } from './http-address.ts';

/** Who was let in before. It lets nobody in: it tells who is worth waiting for in a crowd. */
export interface Known {
  has(incoming: IncomingMessage): boolean;
  add(incoming: IncomingMessage): void;
}

/** Remembers the latest of them, by what they showed, or by where they come from. */
export function openKnown(): Known {
  const marks = new Set<string>();
  return {
    has: (incoming) => marks.has(markOf(incoming)),
    add: (incoming) => {
      const mark = markOf(incoming);
      marks.delete(mark);
      marks.add(mark);
      const [oldest = mark] = marks;
      if (marks.size > KNOWN_MAX) marks.delete(oldest);
    },
  };
}

/** No token is kept, only its digest. Who signs has another signature each time. */
function markOf(incoming: IncomingMessage): string {
  const shown = senderOf(incoming).token ?? incoming.headers.authorization;
  if (shown === undefined) return `from ${incoming.socket.remoteAddress}`;
  return createHash('sha256').update(shown).digest('base64');
}
