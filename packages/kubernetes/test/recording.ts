// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import type { WebSocket } from 'ws';
import type { ScriptedAnswer, ScriptedChannel } from './scripted-cluster.ts';

/** One WebSocket frame as a real cluster and its client sent it. */
export interface RecordedFrame {
  readonly dir: 'in' | 'out';
  readonly opcode?: string;
  readonly channel?: number;
  readonly bytes?: number;
  readonly text?: string;
  readonly base64?: string;
  readonly sha256?: string;
  readonly bulk?: boolean;
  readonly closesChannel?: number;
  readonly closeCode?: number;
}

/** A recorded exec. */
export interface RecordedExec {
  readonly path: string;
  readonly query: Record<string, string | string[]>;
  readonly negotiated?: string | null;
  readonly frames?: readonly RecordedFrame[];
  readonly upgradeRefused?: ScriptedAnswer;
  readonly end?: { readonly code: number | null };
}

/** A recorded exchange. */
export interface RecordedStep {
  readonly title?: string;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly query: Record<string, string | number>;
    readonly headers: Record<string, string>;
    readonly body?: unknown;
  };
  readonly response?: ScriptedAnswer & { readonly body: never };
  readonly websocket?: RecordedExec;
  readonly observation?: unknown;
}

/** Reads the steps of a scenario that was recorded with Kubernetes 1.36. */
export function recording(scenario: string): readonly RecordedStep[] {
  const file = new URL(`recordings/${scenario}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { steps: RecordedStep[] }).steps;
}

/** The step with this title; fails if the recordings do not have it. */
export function step(scenario: string, title: string): RecordedStep {
  const found = recording(scenario).find((one) => one.title === title);
  if (found) return found;
  throw new Error(`no step ${title} in ${scenario}`);
}

/** The data of a frame, without the channel byte. */
export function dataOf(frame: RecordedFrame): Buffer {
  if (frame.base64 !== undefined) return Buffer.from(frame.base64, 'base64');
  return Buffer.from(frame.text ?? '', 'utf8');
}

/** All data that one side sent on a channel. */
export function sent(exec: RecordedExec, dir: 'in' | 'out', channel: number): Buffer {
  const frames = (exec.frames ?? []).filter((one) => one.dir === dir && one.channel === channel);
  return Buffer.concat(frames.map(dataOf));
}

/** Plays the server's side of a recorded exec; waits for the client where the recording did. */
export function replay(exec: RecordedExec): ScriptedAnswer | ScriptedChannel {
  if (exec.upgradeRefused) return exec.upgradeRefused;
  return {
    protocol: exec.negotiated ?? undefined,
    play: (socket, raw) => playFrames(exec, socket, () => raw.destroy()),
  };
}

async function playFrames(exec: RecordedExec, socket: WebSocket, drop: () => void): Promise<void> {
  const next = inbox(socket);
  // The recorder sometimes sent before the ready frame came; this client waits for it.
  const ready = exec.frames?.find((frame) => frame.dir === 'in' && frame.bytes === 0);
  const others = (exec.frames ?? []).filter((frame) => frame !== ready);
  for (const frame of ready ? [ready, ...others] : others) await playFrame(frame, socket, next);
  if (exec.end?.code === 1006) drop();
}

async function playFrame(
  frame: RecordedFrame,
  socket: WebSocket,
  next: () => Promise<void>,
): Promise<void> {
  if (frame.dir === 'in' && frame.opcode === 'close') socket.close(frame.closeCode);
  if (frame.opcode !== undefined) return;
  if (frame.dir === 'out') await next();
  else socket.send(Buffer.concat([Buffer.from([frame.channel ?? 0]), dataOf(frame)]));
}

/** Waits for one more message of the client each time it is called. */
function inbox(socket: WebSocket): () => Promise<void> {
  let received = 0;
  let arrived = Promise.withResolvers<void>();
  socket.on('message', () => {
    received += 1;
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  return async () => {
    while (received === 0) await arrived.promise;
    received -= 1;
  };
}
