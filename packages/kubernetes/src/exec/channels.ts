// SPDX-License-Identifier: Apache-2.0

/** Subprotocols that are offered, best first (Kubernetes KEP-4006; v4 cannot half-close). */
export const SUBPROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** First byte of every message, both ways. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;

/** Most stdin bytes in one message; the pipes on the way hold 64 KiB, the server takes 32 MiB. */
export const STDIN_MESSAGE_BYTES_MAX = 32_768;

/** Cuts stdin into messages: channel byte and data, never a WebSocket fragment. */
export function* stdinMessages(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += STDIN_MESSAGE_BYTES_MAX) {
    const part = bytes.subarray(at, at + STDIN_MESSAGE_BYTES_MAX);
    const message = Buffer.allocUnsafe(part.byteLength + 1);
    message[0] = CHANNEL.stdin;
    message.set(part, 1);
    yield message;
  }
}

/** The v5 half-close of stdin: exactly one payload byte, the channel that ends. */
export function stdinClose(): Buffer {
  return Buffer.from([CHANNEL.close, CHANNEL.stdin]);
}
