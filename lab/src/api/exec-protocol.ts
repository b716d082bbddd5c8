// SPDX-License-Identifier: Apache-2.0
import { containerId } from '../runtime/container.ts';

/** How a subprotocol frames its channels and words its ends. */
export interface ExecProtocol {
  /** Sent back as Sec-WebSocket-Protocol; empty if the client offered none. */
  readonly name: string;
  readonly base64: boolean;
  /** Status objects on channel 3, otherwise plain text. */
  readonly statusObjects: boolean;
  /** 255 and a channel close that channel (v5). */
  readonly halfClose: boolean;
}

const KNOWN = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'base64.channel.k8s.io',
];

/** Picks by the server's own order; undefined where only unknown ones were offered. */
export function negotiate(offered: readonly string[]): ExecProtocol | undefined {
  const name = offered.length === 0 ? '' : KNOWN.find((one) => offered.includes(one));
  if (name === undefined) return undefined;
  return {
    name,
    base64: name.includes('base64'),
    statusObjects: /^v[45]\./.test(name),
    halfClose: name.startsWith('v5.'),
  };
}

/** The last message on channel 3 for a command that ran. */
export function exitMessage(protocol: ExecProtocol, argv: readonly string[], code: number): string {
  if (code === 0) {
    return protocol.statusObjects ? JSON.stringify({ metadata: {}, status: 'Success' }) : '';
  }
  const told = protocol.halfClose
    ? `command terminated with exit code ${code}`
    : `error executing command [${argv.join(' ')}], exit code ${code}`;
  const message = `command terminated with non-zero exit code: ${told}`;
  if (!protocol.statusObjects) return message;
  const causes = [{ reason: 'ExitCode', message: String(code) }];
  const reason = 'NonZeroExitCode';
  return JSON.stringify({ metadata: {}, status: 'Failure', message, reason, details: { causes } });
}

/** The last message on channel 3 for a command that could not be started. */
export function startFailureMessage(protocol: ExecProtocol, why: string): string {
  const runtime =
    'error executing command in container: failed to exec in container: failed to start exec ' +
    `"${containerId()}": OCI runtime exec failed: exec failed: ${why}`;
  if (!protocol.statusObjects) return runtime;
  const once = `Internal error occurred: ${runtime}`;
  const message = protocol.halfClose ? `Internal error occurred: ${once}` : once;
  const cause = protocol.halfClose ? once : runtime;
  const details = { causes: [{ message: cause }] };
  const reason = 'InternalError';
  return JSON.stringify({ metadata: {}, status: 'Failure', message, reason, details, code: 500 });
}
