// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from 'node:net';

/**
 * A socket for the driver (postgres 3.4.9), which forgets it at once when it is closed: what the
 * driver had not written by then it never writes, nor anything after it on the next socket, and
 * what it still writes, such as the `rollback` of a transaction, ends the process. So whoever waits
 * is told by an error first, and the close comes when what follows from that has been written.
 * `lost` is told before both.
 */
export function driverSocket(
  to: { readonly host: string; readonly port: number },
  lost: () => void,
): Socket {
  const socket = connect({ ...to, noDelay: true });
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  let isLost = false;
  const fail = (...args: unknown[]) => {
    isLost = true;
    lost();
    return emit('error', ...args);
  };
  const told = (event: string, ...args: unknown[]): boolean => {
    if (event === 'error') return fail(...args);
    if (event !== 'close') return emit(event, ...args);
    if (!isLost) fail(ended());
    setImmediate(() => setImmediate(() => emit('close', true)));
    return true;
  };
  socket.emit = told as Socket['emit'];
  return socket;
}

function ended(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'CONNECTION_CLOSED' });
}
