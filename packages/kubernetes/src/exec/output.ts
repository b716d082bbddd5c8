// SPDX-License-Identifier: Apache-2.0

/** The source of an output: paused while more is queued than the limit allows. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** A pulled stream of bytes with a small queue, the middle piece of the backpressure. */
export interface Output {
  push(chunk: Buffer): void;
  /** No more will come; what is queued can still be read. */
  end(): void;
  /** True while the source is held back because nobody reads. */
  paused(): boolean;
  /** May be iterated in stages: leaving a loop keeps what was not read for the next one. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** What a queued chunk costs beside its bytes, so that a flood of tiny ones is bounded too. */
const CHUNK_COST_BYTES = 256;

/** Makes an output that pauses `flow` at `bytesMax` queued bytes and resumes it at half of that. */
export function pulledOutput(flow: Flow, bytesMax: number): Output {
  const queue: Buffer[] = [];
  let queued = 0;
  let ended = false;
  let paused = false;
  let wake = Promise.withResolvers<void>();

  async function take(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = queue.shift();
      if (chunk) return release(chunk);
      if (ended) return undefined;
      await wake.promise;
    }
  }

  function release(chunk: Buffer): Buffer {
    queued -= chunk.byteLength + CHUNK_COST_BYTES;
    if (paused && queued <= bytesMax / 2) {
      paused = false;
      flow.resume();
    }
    return chunk;
  }

  function wakeUp(): void {
    wake.resolve();
    wake = Promise.withResolvers();
  }

  return {
    push(chunk) {
      queue.push(chunk);
      queued += chunk.byteLength + CHUNK_COST_BYTES;
      wakeUp();
      if (paused || queued < bytesMax) return;
      paused = true;
      flow.pause();
    },
    end() {
      ended = true;
      wakeUp();
    },
    paused: () => paused,
    chunks: {
      async *[Symbol.asyncIterator]() {
        for (let chunk = await take(); chunk; chunk = await take()) yield chunk;
      },
    },
  };
}
