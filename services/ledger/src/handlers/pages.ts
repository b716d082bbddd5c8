// SPDX-License-Identifier: Apache-2.0

/** Walks through pages one by one, looking at the next without taking it. */
export interface Walk<T> {
  next(): Promise<T | undefined>;
  take(): void;
}

/** A walk through what comes in pages; it holds one page. */
export function walk<T>(pages: AsyncIterable<readonly T[]>): Walk<T> {
  const iterator = pages[Symbol.asyncIterator]();
  let page: readonly T[] = [];
  let at = 0;
  let ended = false;
  return {
    next: async () => {
      while (at >= page.length && !ended) {
        const read = await iterator.next();
        ended = read.done === true;
        page = read.done === true ? [] : read.value;
        at = 0;
      }
      return page[at];
    },
    take: () => {
      at++;
    },
  };
}

/** Takes from a walk for as long as it is so. */
export async function* upTo<T>(pages: Walk<T>, isSo: (next: T) => boolean): AsyncGenerator<T> {
  for (;;) {
    const next = await pages.next();
    if (next === undefined || !isSo(next)) return;
    pages.take();
    yield next;
  }
}
