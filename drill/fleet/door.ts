// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { wait } from '@impound/runtime/wait.ts';

/** A way in front of a server that can be made slow or be shut, in the middle of what goes in. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  /** Bytes that went in so far. */
  passed(): number;
  /** From now on so many bytes go in a second; left out: as many as come. */
  slow(bytesPerSecond?: number): void;
  /** Ends every connection, and every one that comes until it is opened. */
  shut(): void;
  open(): void;
}

const PIECE_BYTES = 16_384;

interface State {
  readonly toPort: number;
  readonly over: AbortController;
  readonly sockets: Set<Socket>;
  passed: number;
  nextAtMs: number;
  perSecond: number;
  shut: boolean;
}

/** Opens a door in front of a port of this machine, at a free port of its own. */
export async function openDoor(toPort: number): Promise<Door> {
  const over = new AbortController();
  const perSecond = Number.POSITIVE_INFINITY;
  const state: State = {
    ...{ toPort, over, sockets: new Set(), passed: 0, nextAtMs: 0, perSecond, shut: false },
  };
  const server = createServer({ allowHalfOpen: true }, (outside) => join(state, outside));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const one of state.sockets) one.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    passed: () => state.passed,
    slow: (bytesPerSecond = Number.POSITIVE_INFINITY) => {
      state.perSecond = bytesPerSecond;
      state.nextAtMs = 0;
    },
    shut: () => {
      state.shut = true;
      cut();
    },
    open: () => {
      state.shut = false;
    },
    [Symbol.asyncDispose]: async () => {
      over.abort();
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Joins who comes with the server behind the door. */
function join(state: State, outside: Socket): void {
  if (state.shut) return void outside.resetAndDestroy();
  const inside = connect({ port: state.toPort, host: '127.0.0.1', allowHalfOpen: true });
  const end = () => {
    for (const one of [outside, inside]) {
      state.sockets.delete(one);
      one.destroy();
    }
  };
  for (const one of [outside, inside]) {
    state.sockets.add(one);
    one.on('error', end);
    one.on('close', end);
  }
  inside.pipe(outside);
  inwards(state, outside, inside).catch(end);
}

async function inwards(state: State, from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      await turn(state, piece.length);
      state.passed += piece.length;
      if (!to.write(piece)) await once(to, 'drain', { signal: state.over.signal });
    }
  }
  to.end();
}

/** Bytes wait here for their turn: what is not let through yet stays with the sender. */
async function turn(state: State, bytes: number): Promise<void> {
  const now = performance.now();
  const dueAtMs = Math.max(now, state.nextAtMs);
  state.nextAtMs = dueAtMs + (bytes / state.perSecond) * 1_000;
  if (dueAtMs > now) await wait(dueAtMs - now, state.over.signal);
}
