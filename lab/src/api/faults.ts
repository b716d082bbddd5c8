// SPDX-License-Identifier: Apache-2.0

/** What goes wrong, on purpose, with requests that match. */
export type FaultKind =
  /** An answer of another kind than the request deserves; `retryAfterSeconds` for 429. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly retryAfterSeconds?: number;
    }
  /** Status 200 and bytes that are no JSON. */
  | { readonly kind: 'garbage' }
  /** The answer comes late. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** No answer ever. */
  | { readonly kind: 'hang' }
  /** The connection is reset before an answer. */
  | { readonly kind: 'reset' }
  /** exec: the connection is reset after so many bytes of output. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** exec: after so many bytes of output a proper close frame, but no status before it. */
  | { readonly kind: 'close-without-status'; readonly afterBytes: number }
  /** exec: no more output and no end after so many bytes. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** exec: no more output after so many bytes, of which `reached` is told, until the promise. */
  | {
      readonly kind: 'pause';
      readonly afterBytes: number;
      readonly reached: () => void;
      readonly until: Promise<void>;
    };

/** A fault and the requests it strikes. */
export type Fault = FaultKind & {
  /** Matched against path and query; every request without it. */
  readonly path?: RegExp;
  readonly method?: string;
  /** How many requests it strikes, default all until it is withdrawn. */
  readonly times?: number;
};

/** A fault in force. */
export interface InjectedFault extends Disposable {
  /** How many requests it has struck. */
  readonly hits: number;
}

/** The faults of a server. */
export interface Faults {
  inject(fault: Fault): InjectedFault;
  /** The first fault that strikes this request, counted as used, or undefined. */
  strike(method: string, url: string): Fault | undefined;
}

const MANY = Number.POSITIVE_INFINITY;

function concerns(fault: Fault, method: string, url: string): boolean {
  if (fault.method !== undefined && fault.method !== method) return false;
  return fault.path === undefined || fault.path.test(url);
}

/** No faults yet. */
export function faults(): Faults {
  const active = new Set<{ readonly fault: Fault; hits: number }>();
  return {
    inject: (fault) => {
      const entry = { fault, hits: 0 };
      active.add(entry);
      return {
        get hits() {
          return entry.hits;
        },
        [Symbol.dispose]: () => active.delete(entry),
      };
    },
    strike: (method, url) => {
      const entry = [...active].find(
        (one) => concerns(one.fault, method, url) && one.hits < (one.fault.times ?? MANY),
      );
      if (entry !== undefined) entry.hits += 1;
      return entry?.fault;
    },
  };
}
