// SPDX-License-Identifier: Apache-2.0
import { connect, Socket } from 'node:net';

/** What a socket has to know of its pool, and tells it. */
export interface SocketPool {
  /** Told once, before the driver is, when the socket has ended in whatever way. */
  readonly lost: (socket: Socket) => void;
  /** Whether the pool itself ends its connections. */
  readonly isEnding: () => boolean;
}

/**
 * A socket for the driver (postgres 3.4.9), which forgets it at once when it is closed: what it had
 * not written by then it never writes, nor anything after it on the next socket, and what it still
 * writes, such as the `rollback` of a transaction, ends the process. So it is told of an error, by
 * which whoever waits is refused, and of a close only where it has asked for that.
 */
export function driverSocket(
  to: { readonly host: string; readonly port: number },
  pool: SocketPool,
): Socket {
  return told(connect({ ...to, noDelay: true }), pool);
}

/** One that is lost before it is open: the driver writes to whatever it was given. */
export function lostSocket(pool: SocketPool): Socket {
  const socket = told(new Socket(), pool);
  setImmediate(() => socket.destroy());
  return socket;
}

function told(socket: Socket, { lost, isEnding }: SocketPool): Socket {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  let isLost = false;
  const fail = (error: unknown) => {
    if (isLost) return false;
    isLost = true;
    lost(socket);
    return emit('error', error);
  };
  socket.emit = ((event: string, ...args: unknown[]): boolean => {
    if (event === 'error') return fail(args[0]);
    if (event !== 'close') return emit(event, ...args);
    fail(failure('CONNECTION_CLOSED', 'the connection was closed'));
    return isEnding() && emit('close', true);
  }) as Socket['emit'];
  return socket;
}

/** An error in the form of the driver's own. */
export function failure(code: string, words: string): Error {
  return Object.assign(new Error(words), { code });
}
