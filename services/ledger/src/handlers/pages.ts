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
