// SPDX-License-Identifier: Apache-2.0

/** The socket and the clock of a channel, as the keepalive sees them. */
export interface KeepaliveOptions {
  readonly pingMs: number;
  readonly idleMsMax: number;
  /** Sends a ping, unless older bytes still wait to be sent. */
  ping(): void;
  /** True while we do not read: then nothing can be heard and silence means nothing. */
  paused(): boolean;
  /** Called once nothing was heard for `idleMsMax`. */
  onIdle(): void;
}

/** Pings a channel and notices when the other end has gone silent. */
export interface Keepalive {
  /** Something was heard. */
  heard(): void;
  stop(): void;
}

/** Load balancers cut what is silent for 60 s, and the server itself sends no pings. */
export function startKeepalive(options: KeepaliveOptions): Keepalive {
  let heardAt = performance.now();
  const timer = setInterval(() => {
    if (options.paused()) heardAt = performance.now();
    if (performance.now() - heardAt >= options.idleMsMax) options.onIdle();
    else options.ping();
  }, options.pingMs);
  return {
    heard() {
      heardAt = performance.now();
    },
    stop: () => clearInterval(timer),
  };
}
