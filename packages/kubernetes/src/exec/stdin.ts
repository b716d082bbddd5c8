// SPDX-License-Identifier: Apache-2.0
import { KubernetesFault } from '../fault.ts';
import { stdinClose, stdinMessages } from './channels.ts';

/** Where stdin goes: one message at a time, each settled when it has left this process. */
export interface StdinSink {
  send(message: Buffer): Promise<void>;
  /** True on v5, where the protocol has a half-close. */
  halfCloses(): boolean;
  /** True once nothing can be sent any more. */
  closed(): boolean;
}

/** The writing end of a command's stdin. */
export interface Stdin {
  /** Resolves when all bytes have left this process. Throws `stdin-closed`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends stdin on v5, once; on v4 it does nothing, the command has to count its input. */
  end(): Promise<void>;
}

/** Writes are taken one after the other, whoever calls, so that no two are mixed. */
export function orderedStdin(sink: StdinSink): Stdin {
  let last: Promise<void> = Promise.resolve();
  let ended = false;

  function inTurn(work: () => Promise<void>): Promise<void> {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  }

  async function sendAll(bytes: Uint8Array): Promise<void> {
    for (const message of stdinMessages(bytes)) {
      if (sink.closed()) throw closedFault();
      await sink.send(message).catch((cause) => {
        throw closedFault(cause);
      });
    }
  }

  return {
    async write(bytes) {
      if (ended || sink.closed()) throw closedFault();
      await inTurn(() => sendAll(bytes));
    },
    async end() {
      if (ended) return last;
      ended = true;
      if (!sink.halfCloses()) return last;
      // A command that ended by itself has closed stdin already: that is no fault here.
      await inTurn(() => (sink.closed() ? Promise.resolve() : sink.send(stdinClose()))).catch(
        () => undefined,
      );
    },
  };
}

function closedFault(cause?: unknown): KubernetesFault {
  return new KubernetesFault(
    'stdin-closed',
    'stdin is closed: it was ended, or the command or the connection is gone; see the exit code',
    { cause },
  );
}
