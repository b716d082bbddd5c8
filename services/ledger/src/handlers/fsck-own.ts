// SPDX-License-Identifier: Apache-2.0
import { CheckpointStampedV1 } from '@impound/contracts/checkpoint/stamped.v1.ts';
import type { Entry } from '@impound/contracts/entry.ts';
import type { Envelope } from '@impound/contracts/envelope.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { KeyRegisteredV1 } from '@impound/contracts/key/registered.v1.ts';
import { KeyRetiredV1 } from '@impound/contracts/key/retired.v1.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { type LogKeyRole, successionText } from '@impound/contracts/log-key.ts';
import { isSigned } from '@impound/transparency/note.ts';
import { type KeySaid, keysSaidBy } from '../domain/keys-said.ts';
import type { FsckClass, KeptKey } from './fsck-ports.ts';
import type { Stamped } from './fsck-stamps.ts';

/** What the log says of itself, as its own chain comes by: its name, its keys, its stamps. */
export interface OwnLog {
  /** Reads an entry, in the order of the log; gives what is wrong with it. */
  read(entry: Entry, idx: number): readonly OwnFault[];
  /** The name of the log; undefined: it did not begin with one. */
  origin(): string | undefined;
  /** The key that signs in this role from so many leaves on: the one named below them. */
  keyAt(role: LogKeyRole, size: number): Buffer | undefined;
  /** Every key that ever signed in this role. */
  keys(role: LogKeyRole): readonly Buffer[];
  /** Holds the index of keys against what the entries say. */
  compare(kept: readonly KeptKey[]): readonly (OwnFault & { readonly idx: number })[];
  readonly stamps: readonly Stamped[];
}

/** One thing that is wrong. */
export interface OwnFault {
  readonly class: FsckClass;
  readonly what: string;
}

const ITS_OWN: readonly string[] = [
  KeyRegisteredV1.type,
  KeyRetiredV1.type,
  CheckpointStampedV1.type,
  HeadsRootedV1.type,
];

interface State {
  id: string | undefined;
  origin: string | undefined;
  readonly said: KeySaid[];
  readonly stamps: Stamped[];
}

/** Begins to read, before the first entry. */
export function readingOwn(): OwnLog {
  const state: State = { id: undefined, origin: undefined, said: [], stamps: [] };
  const keysOf = (role: LogKeyRole, size = Infinity) =>
    state.said
      .filter((one) => one.role === role && one.change === 'registered' && one.idx < size)
      .map(({ publicKey }) => Buffer.from(publicKey, 'base64'));
  const own: OwnLog = {
    read: (entry, idx) => read(state, own, entry, idx),
    origin: () => state.origin,
    keyAt: (role, size) => keysOf(role, size).at(-1),
    keys: (role) => keysOf(role),
    compare: (kept) => compared(state.said, kept),
    stamps: state.stamps,
  };
  return own;
}

function read(state: State, own: OwnLog, { event, acq }: Entry, idx: number): OwnFault[] {
  const { type } = event;
  const begins = type === LogBeganV1.type;
  if (!begins && idx > 0 && !ITS_OWN.includes(type)) return [];
  const chain = (what: string): OwnFault[] => [{ class: 'chain', what }];
  if (begins !== (idx === 0)) {
    return chain(begins ? 'the log begins a second time' : 'the log does not begin with its name');
  }
  state.id ??= acq;
  if (acq !== state.id) return chain(`${type} does not stand in the chain of the log itself`);
  return readOwn(state, own, event, idx);
}

function readOwn(state: State, own: OwnLog, event: Envelope, idx: number): OwnFault[] {
  const { type, data } = event;
  const said = keysSaidBy(event, idx);
  const stamped = type === CheckpointStampedV1.type && CheckpointStampedV1.shape.safeParse(data);
  const isRoot = type === HeadsRootedV1.type;
  const unread = isRoot && !HeadsRootedV1.shape.safeParse(data).success;
  if (said === undefined || unread || (stamped && !stamped.success)) {
    return [{ class: 'entry', what: `its data is not what ${type} says` }];
  }
  if (stamped) state.stamps.push({ ...stamped.data, idx });
  if (type === LogBeganV1.type) state.origin = LogBeganV1.shape.parse(data).origin;
  const faults = type === KeyRegisteredV1.type ? vouching(state, own, data, idx) : [];
  if (type === KeyRetiredV1.type) faults.push(...retiring(own, said[0], idx));
  state.said.push(...said);
  return faults;
}

/** Nobody but the key before names its successor. */
function vouching(state: State, own: OwnLog, data: unknown, idx: number): OwnFault[] {
  const { role, publicKey, vouched } = KeyRegisteredV1.shape.parse(data);
  const before = own.keyAt(role, idx);
  const message = Buffer.from(successionText(state.origin ?? '', { role, publicKey }));
  const signature = Buffer.from(vouched, 'base64');
  if (before !== undefined && isSigned(before, message, signature)) return [];
  return [{ class: 'checkpoint', what: `the ${role} key before has not vouched for this one` }];
}

function retiring(own: OwnLog, said: KeySaid | undefined, idx: number): OwnFault[] {
  if (said === undefined) return [];
  const { role, publicKey } = said;
  const earlier = own.keys(role).map((key) => key.toString('base64'));
  const current = own.keyAt(role, idx)?.toString('base64');
  if (earlier.includes(publicKey) && current !== publicKey) return [];
  return [{ class: 'chain', what: `it retires a ${role} key that has no successor here` }];
}

function compared(said: readonly KeySaid[], kept: readonly KeptKey[]) {
  const nameOf = ({ idx, role, change, publicKey }: KeySaid) =>
    `${idx} ${change} ${role} ${publicKey}`;
  const [derived, held] = [new Set(said.map(nameOf)), new Set(kept.map(nameOf))];
  const fault = (idx: number, what: string) => ({ class: 'index' as const, idx, what });
  return [
    ...said
      .filter((one) => !held.has(nameOf(one)))
      .map((one) => fault(one.idx, `the index of keys lacks the ${one.role} key ${one.change}`)),
    ...kept
      .filter((one) => !derived.has(nameOf(one)))
      .map((one) => fault(one.idx, `the index of keys has a ${one.role} key of no entry`)),
  ];
}
