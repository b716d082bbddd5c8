// SPDX-License-Identifier: Apache-2.0

/** One container as an executor reaches it: names only, checked before they get here. */
export interface ShellTarget {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * A process that runs in a container. Disposing it drops the channel and waits for the socket to
 * close.
 */
export interface Run extends AsyncDisposable {
  /** Where the container's root directory is seen from inside the run; left out: `/`. */
  readonly root?: string | undefined;
  readonly stdin: {
    /** Resolves when the bytes have left this process: backpressure from the container. */
    write(bytes: Uint8Array): Promise<void>;
    /** Half-closes stdin where the protocol can; otherwise does nothing. */
    end(): Promise<void>;
  };
  /** Pulled: while nobody reads, the socket is paused and the process in the container stops. */
  readonly stdout: AsyncIterable<Buffer>;
  /** Takes back a chunk of stdout that nobody needs any more, to be filled again. */
  readonly recycle?: ((chunk: Buffer) => void) | undefined;
  /** The last bytes of stderr, hostile text, at most STDERR_BYTES_MAX (8 KiB); drained always. */
  stderrTail(): string;
  /** Settles after stdout has ended; rejects when the channel closed and no status was given. */
  readonly exitCode: Promise<number>;
}

/** The one thing every executor needs of a cloud: run argv in a container and talk to it. */
export interface Shell {
  /** What running in it changed at the target, in sentences for the record; grows meanwhile. */
  readonly notes?: readonly string[] | undefined;
  run(target: ShellTarget, argv: readonly string[], signal: AbortSignal): Promise<Run>;
}
