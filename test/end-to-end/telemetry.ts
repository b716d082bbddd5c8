// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';
import { openReceiver, type Receiver } from '@impound/telemetry/testing/receiver.ts';
import { SERVICES } from '../../drill/fleet/crew.ts';
import { type Fleet, type FleetOptions, startFleet } from '../../drill/fleet/fleet.ts';

const TELEMETRY = fileURLToPath(new URL('../../packages/telemetry/src/main.ts', import.meta.url));
const LOOK_MS_MAX = 120_000;
const LOOK_MS = 50;

/** A fleet whose processes send what they see to a receiver. */
export interface SeenFleet extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly receiver: Receiver;
}

/** Starts a fleet with telemetry loaded before each of its programs. */
export async function startSeenFleet(
  options: FleetOptions,
  signal: AbortSignal,
): Promise<SeenFleet> {
  await using opening = new AsyncDisposableStack();
  const receiver = opening.use(await openReceiver());
  const traced = { NODE_OPTIONS: `--import=${TELEMETRY}`, ...receiver.environment };
  const settings = Object.fromEntries(
    SERVICES.map((name) => [name, { ...traced, ...options.settings?.[name] }]),
  );
  const fleet = opening.use(await startFleet({ ...options, settings }, signal));
  const scope = opening.move();
  return { fleet, receiver, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}

/** Waits until `look` gives something true, and gives it. */
export async function seen<T>(
  what: string,
  look: () => T | Promise<T>,
): Promise<Exclude<NonNullable<T>, false>> {
  const giveUpAt = Date.now() + LOOK_MS_MAX;
  for (;;) {
    const found = await look();
    if (found) return found as Exclude<NonNullable<T>, false>;
    if (Date.now() > giveUpAt) throw new Error(`not seen in ${LOOK_MS_MAX} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
