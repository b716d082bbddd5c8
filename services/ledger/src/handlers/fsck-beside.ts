// SPDX-License-Identifier: Apache-2.0
import { parseNote } from '@impound/transparency/note.ts';
import type { Findings } from './fsck-findings.ts';
import type { Outside } from './fsck-marks.ts';
import type { KeptAnchor, KeptCheckpoint, KeptCosignature, KeptLog } from './fsck-ports.ts';
import { checkAnchor, checkCosignature, pairStamps, type Stamped } from './fsck-stamps.ts';
import { upTo, walk } from './pages.ts';

/** What others have added to checkpoints, in the order of sizes. */
export interface Beside {
  readonly counts: {
    cosignatures: number;
    cosigned: number;
    stamps: number;
    stamped: number;
  };
  /** Told each checkpoint before its size is looked at. */
  checkpoint(kept: KeptCheckpoint): void;
  at(size: number): Promise<void>;
  /** Told at the end which stamps the log has on record. */
  end(said: readonly Stamped[]): void;
}

/** Holds cosignatures and stamps against the checkpoints that they are kept for. */
export function markingBeside(
  { beside }: KeptLog,
  { witnesses = [], stamp }: Outside,
  findings: Findings,
): Beside {
  const lines = walk<KeptCosignature>(beside?.cosignatures() ?? none());
  const tokens = walk<KeptAnchor>(beside?.anchors() ?? none());
  const counts = { cosignatures: 0, cosigned: 0, stamps: 0, stamped: 0 };
  const texts = new Map<string, string>();
  const anchors: KeptAnchor[] = [];
  const add = findings.add;
  return {
    counts,
    checkpoint: ({ size, head, note }) => {
      if (!texts.has(`${size} ${head}`)) forget(texts, size);
      texts.set(`${size} ${head}`, textOf(note));
    },
    at: async (size) => {
      for await (const one of upTo(lines, (next) => next.size <= size)) {
        counts.cosignatures++;
        const text = texts.get(`${one.size} ${one.head}`);
        counts.cosigned += checkCosignature(one, text, witnesses, add) ? 1 : 0;
      }
      for await (const one of upTo(tokens, (next) => next.size <= size)) {
        counts.stamps++;
        const text = texts.get(`${one.size} ${one.head}`);
        counts.stamped += (await checkAnchor(one, text, stamp, add)) ? 1 : 0;
        anchors.push(one);
      }
    },
    end: (said) => {
      if (beside !== undefined) pairStamps(said, anchors, add);
    },
  };
}

/** Only those of one size are wanted at once. */
function forget(texts: Map<string, string>, size: number): void {
  for (const key of texts.keys()) if (!key.startsWith(`${size} `)) texts.delete(key);
}

function textOf(note: string): string {
  try {
    return parseNote(Buffer.from(note, 'utf8')).text;
  } catch {
    return '';
  }
}

async function* none(): AsyncGenerator<never> {}
