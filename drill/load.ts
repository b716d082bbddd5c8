// SPDX-License-Identifier: Apache-2.0
import type { Drill } from './fleet/drill.ts';
import { holding } from './load/holding.ts';
import { hurrying } from './load/hurrying.ts';

/** Many acquisitions at once, and then many in a short time. */
export const load: Drill = {
  sentence:
    'Holds 1,000 acquisitions open with heartbeats, then asks for 200 a second for ten minutes.',
  run: async (stage) => {
    const parts = { holding, hurrying };
    const named = Object.keys(parts).some((name) => stage.args.includes(name));
    const findings: string[] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (!named || stage.args.includes(name)) findings.push(...(await part(stage)));
    }
    return findings;
  },
};
