// SPDX-License-Identifier: Apache-2.0
import { type Look, measuresOf } from '@impound/runtime/metrics.ts';
import { LABEL, METRICS } from '@impound/runtime/semantics.ts';

/** What is read from files, and may be no good by now. */
interface Followed {
  fault(): string | undefined;
}

/** Tells probes and alarms which files are no good, so that older ones are in force. */
export function damage(
  {
    integrations,
    policies,
  }: {
    readonly integrations: Followed & { current(): Promise<unknown> };
    readonly policies: Followed;
  },
  stopping: AbortSignal,
) {
  const all: Record<string, () => string | undefined> = {
    integrations: integrations.fault,
    policies: policies.fault,
  };
  const tell: Look = (told) => {
    for (const [what, fault] of Object.entries(all)) {
      told(METRICS.damaged, fault() === undefined ? 0 : 1, { [LABEL.what]: what });
    }
  };
  measuresOf('gateway').watch([METRICS.damaged], tell, stopping);
  return {
    watch: (what: string, fault: () => string | undefined) => {
      all[what] = fault;
    },
    health: async () => {
      await integrations.current();
      const [what] = Object.entries(all).find(([, fault]) => fault() !== undefined) ?? [];
      return { status: what === undefined ? 'ok' : `${what}-damaged` };
    },
  };
}
