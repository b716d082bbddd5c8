// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { wait } from '@impound/runtime/wait.ts';

/** Into the server, or out of it to whoever came. */
export type Way = 'in' | 'out';

/** A way in front of a server that can be made slow or be shut, in the middle of what goes in. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  /** Bytes that went in so far. */
  passed(): number;
  /** From now on so many bytes go in a second; left out: as many as come. */
  slow(bytesPerSecond?: number): void;
  /** From now on everything takes so much longer; 0: as long as it takes. */
  delay(milliseconds: number): void;
  /** Ends every connection, and every one that comes until it is opened. */
  shut(): void;
  /** Half open: connections stay, and what goes these ways arrives nowhere, until it is opened. */
  swallow(...ways: readonly Way[]): void;
  /** Lets through again. Connections that have lost bytes are reset. */
  open(): void;
}

const PIECE_BYTES = 16_384;

interface State {
  readonly toPort: number;
  readonly over: AbortController;
  readonly sockets: Set<Socket>;
  readonly swallowed: Set<Way>;
  passed: number;
  nextAtMs: number;
  perSecond: number;
  delayMs: number;
  shut: boolean;
}

/** Opens a door in front of a port of this machine, at a free port of its own. */
export async function openDoor(toPort: number): Promise<Door> {
  const perSecond = Number.POSITIVE_INFINITY;
  const state: State = {
    ...{ toPort, over: new AbortController(), sockets: new Set(), swallowed: new Set() },
    ...{ passed: 0, nextAtMs: 0, perSecond, delayMs: 0, shut: false },
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
      Object.assign(state, { perSecond: bytesPerSecond, nextAtMs: 0 });
    },
    delay: (milliseconds) => {
      state.delayMs = milliseconds;
    },
    shut: () => {
      state.shut = true;
      cut();
    },
    swallow: (...ways) => {
      for (const way of ways) state.swallowed.add(way);
    },
    open: () => {
      state.shut = false;
      if (state.swallowed.size > 0) cut();
      state.swallowed.clear();
    },
    [Symbol.asyncDispose]: async () => {
      state.over.abort();
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
  flow(state, { from: inside, to: outside, way: 'out' }).catch(end);
  flow(state, { from: outside, to: inside, way: 'in' }).catch(end);
}

interface Flow {
  readonly from: Socket;
  readonly to: Socket;
  readonly way: Way;
}

async function flow(state: State, it: Flow): Promise<void> {
  for await (const chunk of it.from as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      await pass(state, it, chunk.subarray(at, at + PIECE_BYTES));
    }
  }
  if (!state.swallowed.has(it.way)) it.to.end();
}

async function pass(state: State, { to, way }: Flow, piece: Buffer): Promise<void> {
  if (way === 'in') await turn(state, piece.length);
  if (state.delayMs > 0) await wait(state.delayMs, state.over.signal);
  if (state.swallowed.has(way)) return;
  if (way === 'in') state.passed += piece.length;
  if (!to.write(piece)) await once(to, 'drain', { signal: state.over.signal });
}

/** Bytes wait here for their turn: what is not let through yet stays with the sender. */
async function turn(state: State, bytes: number): Promise<void> {
  const now = performance.now();
  const dueAtMs = Math.max(now, state.nextAtMs);
  state.nextAtMs = dueAtMs + (bytes / state.perSecond) * 1_000;
  if (dueAtMs > now) await wait(dueAtMs - now, state.over.signal);
}
