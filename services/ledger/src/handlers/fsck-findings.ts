// SPDX-License-Identifier: Apache-2.0
import type { FsckClass, FsckFinding } from './fsck-ports.ts';

const EACH_MAX = 20;

/** Collects what does not fit: the first of each class, and counts the rest. */
export interface Findings {
  add(finding: FsckFinding): void;
  /** In the order of the log. */
  all(): readonly FsckFinding[];
  leftOut(): number;
}

/** An empty collection; it never holds more than a few of each class. */
export function openFindings(): Findings {
  const held = new Map<FsckClass, FsckFinding[]>();
  let leftOut = 0;
  return {
    add: (finding) => {
      const those = held.get(finding.class) ?? [];
      if (those.length < EACH_MAX) held.set(finding.class, [...those, finding]);
      else leftOut++;
    },
    all: () => [...held.values()].flat().toSorted((a, b) => a.idx - b.idx),
    leftOut: () => leftOut,
  };
}
