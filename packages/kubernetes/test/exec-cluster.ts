// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ExecLimits } from '../src/exec/limits.ts';
import { type ExecRun, exec } from '../src/exec.ts';
import { type ScriptedCluster, scriptedCluster } from './scripted-cluster.ts';

/** What channel 3 says of a command that ended with 0. */
export const SUCCESS = '{"metadata":{},"status":"Success"}';
export const V5 = 'v5.channel.k8s.io';
export const V4 = 'v4.channel.k8s.io';

/** One message: channel byte and data. */
export function frame(channel: number, data: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from([channel]), Buffer.from(data)]);
}

/** What the server does once the channel is open and ready. */
export type Play = (socket: WebSocket, raw: Duplex) => void | Promise<void>;

/** A cluster whose exec says that it is ready and then does as the test wants. */
export function cluster(play: Play, protocol = V5): Promise<ScriptedCluster> {
  const ready: Play = (socket, raw) => {
    socket.send(frame(1));
    return play(socket, raw);
  };
  return scriptedCluster({ exec: () => ({ protocol, play: ready }) });
}

/** Runs `cat` there with limits that fit a test. */
export async function start(
  on: ScriptedCluster,
  signal: AbortSignal,
  limits: Partial<ExecLimits> = {},
): Promise<ExecRun> {
  const target = { namespace: 'shop', pod: 'web', container: 'app', argv: ['cat'] };
  return exec(await on.connect(), { ...target, limits: { closeMsMax: 200, ...limits } }, signal);
}

/** Reads stdout to its end. */
export async function readAll(run: ExecRun): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of run.stdout) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Sends a status and closes as a real server does. */
export function endWith(status: string): Play {
  return (socket) => {
    socket.send(frame(3, status));
    socket.close(1000);
  };
}
