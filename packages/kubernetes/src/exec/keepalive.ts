// SPDX-License-Identifier: Apache-2.0

/** The socket of a channel, as the keepalive sees it. */
export interface KeepaliveOptions {
  readonly pingMs: number;
  readonly idleMsMax: number;
  /** Sends a ping, unless older bytes still wait to be sent. */
  ping(): void;
  /** True while nothing is read: then nothing can be heard and silence means nothing. */
  paused(): boolean;
  /** Called once nothing was heard for `idleMsMax`, in as many looks as have room in it. */
  onIdle(): void;
}

/** Pings a channel and notices when the other end has gone silent. */
export interface Keepalive {
  /** Something was heard. */
  heard(): void;
  stop(): void;
}

/**
 * Load balancers cut what is silent for 60 s, and the server itself sends no pings. Looks are
 * counted and not the clock: a process that stood still has heard nothing, and its peer is there.
 */
export function startKeepalive(options: KeepaliveOptions): Keepalive {
  const looksMax = Math.ceil(options.idleMsMax / options.pingMs);
  let looks = 0;
  const timer = setInterval(() => {
    looks = options.paused() ? 0 : looks + 1;
    if (looks >= looksMax) options.onIdle();
    else options.ping();
  }, options.pingMs);
  return {
    heard() {
      looks = 0;
    },
    stop: () => clearInterval(timer),
  };
}
