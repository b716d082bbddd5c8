// SPDX-License-Identifier: Apache-2.0
import type { RecordedStep } from './recording.ts';
import type { ScriptedAnswer, SeenRequest } from './scripted-cluster.ts';

/** The answer of a recorded exchange. */
export function answered(one: RecordedStep | undefined): ScriptedAnswer {
  const { status = 404, body } = one?.response ?? {};
  return { status, body };
}

/** Answers each path with the next of its answers; the last one stays. */
export function byPath(
  answers: Readonly<Record<string, ScriptedAnswer | readonly ScriptedAnswer[]>>,
) {
  const left = new Map(Object.entries(answers).map(([path, all]) => [path, [all].flat()]));
  return (seen: SeenRequest): ScriptedAnswer => {
    const queue = left.get(seen.url.pathname) ?? [];
    return (queue.length > 1 ? queue.shift() : queue[0]) ?? { status: 404 };
  };
}
