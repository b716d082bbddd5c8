// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Presence } from './ports.ts';
import type { ShellTarget } from './shell.ts';

/** Where the suite runs: opened once, after the tests have begun. */
export interface Looking {
  readonly presence: Presence;
  /** A running container. */
  readonly target: ShellTarget;
}

const LOOK_MS_MAX = 30_000;

/** What every executor's presence must say, because a container is touched on its word. */
export function presenceConformance(name: string, open: () => Promise<Looking>): void {
  const look = async (other: Partial<ShellTarget>) => {
    const { presence, target } = await open();
    return await presence.look({ ...target, ...other }, AbortSignal.timeout(LOOK_MS_MAX));
  };

  test(`${name}: a container that runs is seen running, by the id of this very start`, async () => {
    const seen = await look({});
    assert.equal(seen.state, 'running');
    assert.ok(seen.containerId, 'without an id a restart would go unnoticed');
    assert.deepEqual(await look({}), seen);
  });

  for (const other of [{ pod: 'there-is-no-such-pod' }, { container: 'no-such-container' }]) {
    test(`${name}: ${Object.values(other)[0]} is gone, which is no fault`, async () => {
      assert.equal((await look(other)).state, 'gone');
    });
  }
}
