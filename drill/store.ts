// SPDX-License-Identifier: Apache-2.0
import type { Drill } from './fleet/drill.ts';
import { bucketStore } from './store/bucket.ts';
import { directoryStore } from './store/directory.ts';

/** A slow store goes away in the middle of a capture, and comes back. */
export const store: Drill = {
  sentence:
    'Takes a slow store away in the middle of a capture, a directory in four ways and a bucket in ' +
    'three, and gives it back.',
  run: async (stage) => {
    const parts = { directory: directoryStore, bucket: bucketStore };
    const named = Object.keys(parts).some((name) => stage.args.includes(name));
    const findings: string[] = [];
    for (const [name, part] of Object.entries(parts)) {
      if (!named || stage.args.includes(name)) findings.push(...(await part(stage)));
    }
    return findings;
  },
};
