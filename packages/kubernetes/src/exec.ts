// SPDX-License-Identifier: Apache-2.0
import { WebSocket } from 'ws';
import type { ClusterConnection } from './connection.ts';
import { SUBPROTOCOLS } from './exec/channels.ts';
import { EXEC_LIMITS, type ExecLimits, TARGET_BYTES_MAX } from './exec/limits.ts';
import { ExecSession } from './exec/session.ts';
import { orderedStdin } from './exec/stdin.ts';
import { KubernetesFault } from './fault.ts';
import { networkFault } from './network-fault.ts';
import { requestPath } from './path.ts';

/** A command in a container. There is no terminal: one would change the bytes. */
export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Passed as it is, no shell between; it lands in audit logs, so secrets go through stdin. */
  readonly argv: readonly string[];
  readonly tty?: never;
  readonly limits?: Partial<ExecLimits> | undefined;
}

/** A command that runs in a container. Disposing it drops the channel, not the command. */
export interface ExecRun extends AsyncDisposable {
  readonly stdin: {
    /** Resolves when the bytes have left this process. Throws `stdin-closed`. */
    write(bytes: Uint8Array): Promise<void>;
    /** Half-closes stdin on v5; does nothing on v4, where the protocol cannot. */
    end(): Promise<void>;
  };
  /** Pulled; while nobody reads the socket is paused. Its end says nothing about success. */
  readonly stdout: AsyncIterable<Buffer>;
  /** Takes back a chunk of stdout that nobody needs any more; may be left out. */
  recycle(chunk: Buffer): void;
  /** The last bytes of stderr, hostile text, at most STDERR_BYTES_MAX; always drained. */
  stderrTail(): string;
  /**
   * Settles when the channel has closed. Rejects with `outcome-unknown` if no status came, and with
   * `no-shell`, `command-not-started`, `container-not-found` if the command never ran.
   */
  readonly exitCode: Promise<number>;
}

/**
 * Runs argv in a container over WebSocket (`v5.channel.k8s.io`, else v4) and resolves once the
 * streams are ready. Throws what the cluster refused: `forbidden`, `create-exec-missing`,
 * `scc-denied`, `not-found`, `container-not-found`, `container-ambiguous`, `unauthorized` and
 * others.
 */
export async function exec(
  connection: ClusterConnection,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecRun> {
  const limits = { ...EXEC_LIMITS, ...request.limits };
  const target = targetOf(connection.server, request);
  const { host } = connection.server;
  const ws = await connect(connection, { target, limits }, signal);
  const session = new ExecSession(ws, { argv: request.argv, host, limits }, signal);
  await session.ready.promise;
  return {
    stdin: orderedStdin(session),
    stdout: session.output.chunks,
    recycle: session.output.recycle,
    stderrTail: () => session.stderr.text(),
    exitCode: session.exitCode.promise,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

async function connect(
  connection: ClusterConnection,
  { target, limits }: { readonly target: string; readonly limits: ExecLimits },
  signal: AbortSignal,
): Promise<WebSocket> {
  const { agent, headers, ...tls } = await connection.requestOptions(signal);
  const scheme = connection.server.protocol === 'http:' ? 'ws:' : 'wss:';
  const options = {
    ...tls,
    agent,
    // No Accept: application/json is answered 406 by this endpoint.
    headers: { ...headers },
    perMessageDeflate: false,
    followRedirects: false,
    skipUTF8Validation: true,
    handshakeTimeout: limits.handshakeMsMax,
    closeTimeout: limits.closeMsMax,
    maxPayload: limits.frameBytesMax,
  };
  try {
    return new WebSocket(
      `${scheme}//${connection.server.host}${target}`,
      [...SUBPROTOCOLS],
      options,
    );
  } catch (error) {
    throw networkFault(error, connection.server.host);
  }
}

function targetOf(server: URL, request: ExecRequest): string {
  const { namespace, pod, container, argv } = request;
  const bad = argv.find((argument) => argument.includes('\0') || !argument.isWellFormed());
  if (argv.length === 0 || argv[0] === '' || bad !== undefined || container === '') {
    throw new KubernetesFault(
      'invalid-request',
      'exec needs a container and a command, without NUL and in valid Unicode',
    );
  }
  const path = ['api', 'v1', 'namespaces', namespace, 'pods', pod, 'exec'];
  const streams = { stdin: true, stdout: true, stderr: true };
  const target = requestPath(server, path, { container, command: argv, ...streams });
  if (Buffer.byteLength(target) <= TARGET_BYTES_MAX) return target;
  throw new KubernetesFault(
    'invalid-request',
    `the command makes a request line of more than ${TARGET_BYTES_MAX} bytes; send the script ` +
      'through stdin instead',
  );
}
