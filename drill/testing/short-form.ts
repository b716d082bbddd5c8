// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Drill } from '../fleet/drill.ts';

const DRILL_MS_MAX = 900_000;

/** A drill as a test that every change goes through, or a part of it; the name is what it shows. */
export function shortForm(name: string, drill: Drill, args: readonly string[] = []): void {
  test(name, { timeout: DRILL_MS_MAX }, async (t) => {
    const tell = (line: string) => t.diagnostic(line);
    const stage = { full: false, clocked: false, args, signal: t.signal, tell };
    assert.deepEqual(await drill.run(stage), []);
  });
}
