// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { EvidenceFault } from '../fault.ts';
import type { EvidenceSink, ObjectSink } from '../sink.ts';

/** A store that forgets: for small captures, rehearsals and tests. */
export interface MemorySink extends EvidenceSink {
  /** Completed objects by name. */
  readonly objects: ReadonlyMap<string, Buffer>;
}

/** Keeps objects in memory and holds them to what a real store would check. */
export function memorySink(): MemorySink {
  const objects = new Map<string, Buffer>();
  const object = (name: string): ObjectSink => {
    const parts: Buffer[] = [];
    return {
      part: async (bytes, sha256Hex) => {
        if (digest(bytes) !== sha256Hex) throw mismatch(`${name}: part ${parts.length + 1}`);
        parts.push(Buffer.from(bytes));
      },
      complete: async ({ bytes, sha256Hex }) => {
        const whole = Buffer.concat(parts);
        if (whole.length !== bytes || digest(whole) !== sha256Hex) throw mismatch(name);
        objects.set(name, whole);
        return { name, bytes, sha256: sha256Hex };
      },
      abort: async () => {
        parts.length = 0;
      },
    };
  };
  return { objects, object: async (name) => object(name) };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function mismatch(what: string): EvidenceFault {
  return new EvidenceFault('object-mismatch', `${what} is not what was announced`);
}
