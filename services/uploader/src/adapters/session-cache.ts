// SPDX-License-Identifier: Apache-2.0
import { formatSession, type SessionName } from '../domain/object-name.ts';

const SESSIONS_KNOWN_MAX = 1_024;

/** Remembers what was looked up for an upload, the latest ones only; who asks at once shares it. */
export function sessionCache<T>() {
  const known = new Map<string, Promise<T>>();
  return {
    get(session: SessionName, look: () => Promise<T>): Promise<T> {
      const name = formatSession(session);
      const there = known.get(name);
      if (there !== undefined) return there;
      const found = look();
      known.set(name, found);
      found.catch(() => known.delete(name));
      const [oldest] = known.keys();
      if (known.size > SESSIONS_KNOWN_MAX && oldest !== undefined) known.delete(oldest);
      return found;
    },
    forget(session: SessionName): void {
      known.delete(formatSession(session));
    },
  };
}
