// SPDX-License-Identifier: Apache-2.0

/** The source of an output: paused while more is queued than the limit allows. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** A pulled stream of bytes with a small queue, the middle piece of the backpressure. */
export interface Output {
  /** Takes a copy: the bytes are the caller's again when it returns. */
  push(bytes: Buffer): void;
  /** No more will come; what is queued can still be read. */
  end(): void;
  /** True while the source is held back because nobody reads. */
  paused(): boolean;
  /** May be iterated in stages: leaving a loop keeps what was not read for the next one. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Takes back a chunk that nobody needs any more, to be filled again. */
  recycle(chunk: Buffer): void;
}

/** What comes in small pieces is read in large ones: each costs its reader several turns. */
const BLOCK_BYTES = 131_072;
const SPARE_BLOCKS_MAX = 4;

/** Makes an output that pauses `flow` at `bytesMax` queued bytes and resumes it at half of that. */
export function pulledOutput(flow: Flow, bytesMax: number): Output {
  const blocks = queuedBlocks();
  let ended = false;
  let paused = false;
  let waking = false;
  let wake = Promise.withResolvers<void>();

  async function take(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = blocks.take();
      if (paused && blocks.bytes() <= bytesMax / 2) {
        paused = false;
        flow.resume();
      }
      if (chunk !== undefined || ended) return chunk;
      await wake.promise;
    }
  }

  function wakeUp(): void {
    waking = false;
    wake.resolve();
    wake = Promise.withResolvers();
  }

  return {
    push(bytes) {
      blocks.put(bytes);
      // Not at once: what else lies in the socket comes first, and is read with it.
      if (!waking) setImmediate(wakeUp);
      waking = true;
      if (paused || blocks.bytes() < bytesMax) return;
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
    recycle: blocks.giveBack,
  };
}

/** Bytes in blocks: full ones, and the one that is being filled. */
function queuedBlocks() {
  const full: Buffer[] = [];
  const spare: Buffer[] = [];
  let filling: Buffer | undefined;
  let used = 0;
  let queued = 0;
  const cut = (): Buffer | undefined => {
    const block = filling?.subarray(0, used);
    filling = undefined;
    used = 0;
    return block;
  };
  return {
    bytes: () => queued,
    put(bytes: Buffer): void {
      for (let at = 0; at < bytes.length; ) {
        filling ??= spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
        const taken = bytes.copy(filling, used, at);
        at += taken;
        used += taken;
        const block = used === BLOCK_BYTES ? cut() : undefined;
        if (block !== undefined) full.push(block);
      }
      queued += bytes.length;
    },
    take(): Buffer | undefined {
      const block = full.shift() ?? cut();
      queued -= block?.length ?? 0;
      return block;
    },
    giveBack({ buffer }: Buffer): void {
      if (spare.length < SPARE_BLOCKS_MAX) spare.push(Buffer.from(buffer));
    },
  };
}
