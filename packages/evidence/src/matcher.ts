// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { FindingLog } from './finding.ts';
import { PENDING_MAX } from './limits.ts';
import type { MemberLine } from './manifest-reader.ts';
import { printable } from './path-bytes.ts';
import { type MemberHeader, tarMode } from './tar-header.ts';
import { rfc3339 } from './timestamp.ts';

/** What can be compared of a member, whichever side tells it. */
export type Facts = Readonly<
  Record<'type' | 'size' | 'mode' | 'uid' | 'gid' | 'mtime' | 'link', string>
> & {
  readonly sha256: string;
};

interface Side {
  readonly number: number;
  readonly shown: string;
  readonly facts: Facts;
}

/**
 * Pairs members with manifest lines, which come in the same order; remembers what has no partner
 * yet, at most PENDING_MAX of both sides.
 */
export interface Matcher {
  member(
    name: Buffer,
    facts: Facts,
    nextLine: () => Promise<MemberLine | undefined>,
  ): Promise<void>;
  /** After the last member: the lines that are left, then what never found a partner. */
  finish(nextLine: () => Promise<MemberLine | undefined>): Promise<void>;
}

const NAME_FIELDS = ['type', 'size', 'mode', 'uid', 'gid', 'mtime', 'link'] as const;
const EPOCH = rfc3339(0n);

/** What the tar says of a member. */
export function factsOfMember(member: MemberHeader, sha256: string): Facts {
  return {
    type: member.type,
    size: String(member.size),
    mode: member.mode.toString(8),
    uid: String(member.uid),
    gid: String(member.gid),
    mtime: rfc3339(member.mtime),
    link: linkFact(member.link),
    sha256: member.type === 'file' ? sha256 : '',
  };
}

/** What the manifest says the tar should say. */
export function factsOfLine({ line, link }: MemberLine): Facts {
  const type = line.type === 'directory' || line.type === 'symlink' ? line.type : 'file';
  const mode = line.mode === undefined ? undefined : Number.parseInt(line.mode, 8);
  return {
    type,
    size: String(line.size),
    mode: tarMode(type, mode).toString(8),
    uid: String(line.uid ?? 0),
    gid: String(line.gid ?? 0),
    mtime: line.mtime ?? EPOCH,
    link: linkFact(link),
    sha256: line.sha256 ?? '',
  };
}

/** A digest, so that what is remembered stays small. */
function linkFact(link: Buffer | undefined): string {
  return link === undefined ? '' : hash('sha256', link);
}

function keyOf(name: Buffer): string {
  return hash('sha256', name, 'base64');
}

function compare(line: Facts, member: Facts, at: { shown: string; log: FindingLog }): void {
  const differing = NAME_FIELDS.filter((field) => line[field] !== member[field]);
  if (differing.length > 0) {
    at.log.add('metadata-mismatch', `tar and manifest differ in ${differing.join(', ')}`, at.shown);
  }
  if (line.sha256 !== member.sha256) {
    const what = `the manifest says SHA-256 ${line.sha256}, the tar holds ${member.sha256}`;
    at.log.add('content-mismatch', what, at.shown);
  }
}

interface State {
  readonly log: FindingLog;
  readonly lines: Map<string, Side>;
  readonly members: Map<string, Side>;
  readonly last: { line: number; member: number };
  overflow: boolean;
  disorder: boolean;
}

/** Makes a matcher that reports to `log`. */
export function matcher(log: FindingLog): Matcher {
  const state: State = {
    log,
    lines: new Map(),
    members: new Map(),
    last: { line: 0, member: 0 },
    overflow: false,
    disorder: false,
  };
  let held: MemberLine | undefined;
  let index = 0;

  return {
    member: async (name, facts, nextLine) => {
      index += 1;
      const here: Side = { number: index, shown: printable(name), facts };
      held ??= await nextLine();
      // Lines whose member came earlier: what lies behind them may be the line of this one.
      while (held !== undefined && settle(state, held)) held = await nextLine();
      if (held?.tarName.equals(name) === true) pair(state, sideOf(held), here);
      else if (settleMember(state, keyOf(name), here)) return;
      else if (held !== undefined) keep(state, state.lines, keyOf(held.tarName), sideOf(held));
      held = undefined;
    },
    finish: async (nextLine) => {
      held ??= await nextLine();
      for (; held !== undefined; held = await nextLine()) {
        if (!state.overflow && !settle(state, held)) missing(log, sideOf(held));
      }
      for (const line of state.lines.values()) missing(log, line);
      for (const { shown } of state.members.values()) {
        log.add('member-extra', 'it is in the tar and not in the manifest', shown);
      }
    },
  };
}

function pair(state: State, line: Side, member: Side): void {
  const { last, log } = state;
  if (!state.disorder && (line.number < last.line || member.number < last.member)) {
    state.disorder = true;
    log.add('order-differs', 'manifest lines are not in the order of the tar', member.shown);
  }
  last.line = line.number;
  last.member = member.number;
  compare(line.facts, member.facts, { shown: member.shown, log });
}

/** Pairs a line with a member that came before it. */
function settle(state: State, line: MemberLine): boolean {
  if (state.members.size === 0) return false;
  const key = keyOf(line.tarName);
  const member = state.members.get(key);
  if (member === undefined) return false;
  state.members.delete(key);
  pair(state, sideOf(line), member);
  return true;
}

/** Pairs a member with a line that came before it; remembers the member where there is none. */
function settleMember(state: State, key: string, member: Side): boolean {
  const line = state.lines.get(key);
  if (line === undefined) {
    keep(state, state.members, key, member);
    return false;
  }
  state.lines.delete(key);
  pair(state, line, member);
  return true;
}

function keep(state: State, side: Map<string, Side>, key: string, value: Side): void {
  if (state.overflow) return;
  // A duplicate name is a finding of its own; only its first bearer is remembered.
  if (!side.has(key)) side.set(key, value);
  if (state.lines.size + state.members.size <= PENDING_MAX) return;
  state.overflow = true;
  const what = `more than ${PENDING_MAX} names stand on one side only`;
  state.log.add('too-many-differences', what, value.shown);
  state.lines.clear();
  state.members.clear();
}

function missing(log: FindingLog, line: Side): void {
  const what = `line ${line.number} of the manifest has no member in the tar`;
  log.add('member-missing', what, line.shown);
}

function sideOf(line: MemberLine): Side {
  return { number: line.number, shown: printable(line.tarName), facts: factsOfLine(line) };
}
