// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { millisecondsOf } from '@impound/contracts/time.ts';
import { wait } from '@impound/runtime/wait.ts';
import type { Caller } from '../domain/caller.ts';
import { certificateOf } from './http-admission.ts';
import type { IntegrationsFile } from './integrations-file.ts';

/** What lasts longer than a question ends when whoever asked it would not be let in any more. */
export interface Standing {
  /** Aborts as soon as it does not stand; dispose it when what lasted has ended. */
  of(caller: Caller, incoming: IncomingMessage): Stand;
  /** Who vouches for certificates has changed: none of them stands until it is shown again. */
  renewed(): void;
}

export interface Stand extends Disposable {
  readonly signal: AbortSignal;
}

interface Held {
  readonly caller: Caller;
  readonly entry: string;
  readonly untilMs: number;
  readonly over: AbortController;
}

const LOOK_MS = 1_000;

/** Looks each second while something lasts; a file that is damaged takes nothing from anybody. */
export function openStanding(
  file: Pick<IntegrationsFile, 'current'>,
  now: () => number,
  stopping: AbortSignal,
): Standing {
  const all = new Set<Held>();
  const look = async () => {
    const { integrations } = await file.current();
    const entries = new Map<string, string>(integrations.map((one) => [one.id, textOf(one)]));
    for (const { caller, entry, untilMs, over } of all) {
      if (entries.get(caller.actor.id) !== entry || untilMs <= now()) over.abort();
    }
  };
  let looking = false;
  const lookOn = async () => {
    if (looking) return;
    looking = true;
    while (all.size > 0 && !stopping.aborted) {
      await wait(LOOK_MS, stopping);
      await look();
    }
    looking = false;
  };
  return {
    of: (caller, incoming) => {
      const over = new AbortController();
      const entry = textOf(caller.integration);
      const held = { caller, entry, untilMs: untilMsOf(caller, incoming), over };
      all.add(held);
      void lookOn();
      return { signal: over.signal, [Symbol.dispose]: () => void all.delete(held) };
    },
    renewed: () => {
      for (const { caller, over } of all) if (caller.actor.authn === 'mutual-tls') over.abort();
    },
  };
}

function textOf(integration: Caller['integration']): string {
  return JSON.stringify(integration);
}

/** When the credential ends by itself, in milliseconds. */
function untilMsOf({ actor, integration }: Caller, incoming: IncomingMessage): number {
  const { notAfter } = integration.credentials.find(({ id }) => id === actor.credential) ?? {};
  return Math.min(
    notAfter === undefined ? Number.POSITIVE_INFINITY : millisecondsOf(notAfter),
    certificateOf(incoming)?.validToMs ?? Number.POSITIVE_INFINITY,
  );
}
