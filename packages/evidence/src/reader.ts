// SPDX-License-Identifier: Apache-2.0
import { byteSource } from './byte-source.ts';
import { EvidenceFault } from './fault.ts';
import { ARCHIVE_BYTES_MAX, NAMES_MAX } from './limits.ts';
import { inKnownPlace, printable, refusalOf } from './path-bytes.ts';
import { type PathTable, pathTable } from './path-table.ts';
import { type TarMember, tarMembers } from './tar-reader.ts';
import { readFrame, unpackFrame } from './zstd-frame.ts';

/** Why a member is refused, for a fault or a finding. */
export interface MemberRefusal {
  readonly code: 'member-refused' | 'member-duplicate' | 'member-conflict' | 'limit-exceeded';
  readonly why: string;
}

const ADDED = {
  duplicate: { code: 'member-duplicate', why: 'its name is taken by an earlier member' },
  conflict: { code: 'member-conflict', why: 'beneath a file or link, or in a directory’s place' },
  full: { code: 'limit-exceeded', why: `more than ${NAMES_MAX} names` },
} as const;

/**
 * Why nobody should extract this member: absolute, `..`, outside the known places, a device or
 * hard link, a name seen before, or one that leads through a link. Remembers the name.
 */
export function refusalOfMember(member: TarMember, names: PathTable): MemberRefusal | undefined {
  if (member.foreignFlag !== undefined) {
    const flag = printable(Buffer.from(member.foreignFlag, 'latin1'));
    return { code: 'member-refused', why: `a member of type '${flag}'` };
  }
  const refusal = refusalOf(member.name);
  if (refusal !== undefined) return { code: 'member-refused', why: refusal };
  if (!inKnownPlace(member.name)) return { code: 'member-refused', why: 'not in a known place' };
  const added = names.add(member.name, member.type === 'directory' ? 'directory' : 'leaf');
  return added === 'new' ? undefined : ADDED[added];
}

/** How a reader of frames deals with trouble. */
export interface UnpackOptions {
  readonly archive: AsyncIterable<Uint8Array>;
  /** Uncompressed bytes at which it stops; ARCHIVE_BYTES_MAX if left out. */
  readonly bytesMax?: number;
  /** Called for a frame that does not unpack, which then reads as zeros; without it, it throws. */
  readonly onBroken?: (fault: EvidenceFault) => void;
  /** Called with the content size of each frame. */
  readonly onFrame?: (contentBytes: number) => void;
}

/**
 * The tar inside an archive. Holds one frame at a time. Throws EvidenceFault `frame-…`,
 * `archive-truncated`, `limit-exceeded`.
 */
export async function* unpackArchive(
  options: UnpackOptions,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { archive, onBroken, onFrame, bytesMax = ARCHIVE_BYTES_MAX } = options;
  const source = byteSource(archive);
  let total = 0;
  for (let number = 1; ; number += 1) {
    signal.throwIfAborted();
    const frame = await readFrame(source, number);
    if (frame === undefined) return;
    total += frame.contentBytes;
    onFrame?.(frame.contentBytes);
    if (total > bytesMax) {
      throw new EvidenceFault('limit-exceeded', `frame ${number}: more than ${bytesMax} bytes`);
    }
    yield await unpackFrame(frame).catch((fault: unknown) => {
      if (onBroken === undefined || !(fault instanceof EvidenceFault)) throw fault;
      onBroken(fault);
      return Buffer.alloc(frame.contentBytes);
    });
  }
}

/**
 * The members of an archive, in order, for whoever wants their bytes. Checks names but not
 * digests: verifyCapture does that. Throws EvidenceFault at the first thing that is wrong:
 * `archive-refused` for a member that must not be extracted, and those of unpackArchive and
 * tarMembers.
 */
export async function* evidenceMembers(
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<TarMember> {
  const names = pathTable(NAMES_MAX);
  for await (const member of tarMembers(unpackArchive({ archive }, signal))) {
    const refusal = refusalOfMember(member, names);
    if (refusal !== undefined) {
      const message = `${printable(member.name)}: ${refusal.why}`;
      throw new EvidenceFault('archive-refused', message);
    }
    yield member;
  }
}
