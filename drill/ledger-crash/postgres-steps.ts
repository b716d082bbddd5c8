// SPDX-License-Identifier: Apache-2.0
import type { Message, Reader, Way } from './wire.ts';

/** What a client of PostgreSQL sends, by its first byte (protocol 3.0, chapter 55.7). */
const IN: Readonly<Record<string, string>> = {
  B: 'Bind',
  C: 'Close',
  D: 'Describe',
  E: 'Execute',
  H: 'Flush',
  P: 'Parse',
  Q: 'Query',
  S: 'Sync',
  X: 'Terminate',
  p: 'Password',
};

/** What the server answers. */
const OUT: Readonly<Record<string, string>> = {
  '1': 'ParseComplete',
  '2': 'BindComplete',
  '3': 'CloseComplete',
  A: 'Notification',
  C: 'CommandComplete',
  D: 'DataRow',
  E: 'Error',
  I: 'EmptyQuery',
  K: 'BackendKeyData',
  N: 'Notice',
  R: 'Authentication',
  S: 'ParameterStatus',
  T: 'RowDescription',
  Z: 'ReadyForQuery',
  n: 'NoData',
  t: 'ParameterDescription',
};

const LENGTH_BYTES = 4;

interface Talk {
  readonly rest: Record<Way, Buffer>;
  /** Texts of prepared statements, by their names. */
  readonly statements: Map<string, string>;
  begun: boolean;
  pid: number | undefined;
  /** What the last message in was about. */
  about: string;
  /** What the server was asked and has not said to be ready after, the oldest first. */
  readonly asked: string[];
}

/** Reads both ways of one connection; a message is called by its kind and by its statement. */
export function postgresReader(): Reader {
  const talk: Talk = {
    ...{ rest: { in: Buffer.alloc(0), out: Buffer.alloc(0) }, statements: new Map() },
    ...{ begun: false, pid: undefined, about: 'session', asked: [] },
  };
  return {
    read: (way, bytes) => messagesIn(talk, way, bytes),
    pid: () => talk.pid,
  };
}

function messagesIn(talk: Talk, way: Way, bytes: Buffer): Message[] {
  const messages: Message[] = [];
  let rest = Buffer.concat([talk.rest[way], bytes]);
  for (;;) {
    const first = way === 'in' && !talk.begun;
    const end = endOf(rest, first ? 0 : 1);
    if (end === undefined) break;
    const whole = rest.subarray(0, end);
    rest = rest.subarray(end);
    talk.begun ||= first;
    messages.push({ bytes: whole, label: first ? 'Startup: session' : labelOf(talk, way, whole) });
  }
  talk.rest[way] = rest;
  return messages;
}

/** Where the first message ends, of which the length stands at this place; undefined: not here. */
function endOf(bytes: Buffer, lengthAt: number): number | undefined {
  if (bytes.length < lengthAt + LENGTH_BYTES) return undefined;
  const end = lengthAt + bytes.readUInt32BE(lengthAt);
  return bytes.length < end ? undefined : end;
}

function labelOf(talk: Talk, way: Way, whole: Buffer): string {
  const type = String.fromCharCode(whole[0] ?? 0);
  if (way === 'out') return answerOf(talk, type, whole);
  const kind = IN[type] ?? type;
  const [one = '', two = ''] = whole
    .subarray(1 + LENGTH_BYTES)
    .toString('latin1')
    .split('\0', 2);
  if (kind === 'Parse') talk.statements.set(one, nameOf(two));
  const named: Readonly<Record<string, string | undefined>> = {
    Query: nameOf(one),
    Parse: talk.statements.get(one),
    Bind: talk.statements.get(two),
    Describe: talk.statements.get(one.slice(1)),
  };
  talk.about = named[kind] ?? talk.about;
  if (kind === 'Sync' || kind === 'Query') talk.asked.push(talk.about);
  return `${kind}: ${talk.about}`;
}

function answerOf(talk: Talk, type: string, whole: Buffer): string {
  const kind = OUT[type] ?? type;
  if (kind === 'BackendKeyData') talk.pid = whole.readUInt32BE(1 + LENGTH_BYTES);
  const about = talk.asked[0] ?? talk.about;
  if (kind === 'ReadyForQuery') talk.asked.shift();
  return `${kind}: ${about}`;
}

const TOUCHES =
  /\b(insert into|from|join)\s+(ledger_\w+|pg_\w+)|\b(pg_try_advisory_lock|set_config)\b/g;
const WHERE = /\bwhere\s+([\w.]+)/;
const WORDS_CHARACTERS_MAX = 40;

/** A statement by what it touches, in the order of its text; by its first words where nothing. */
function nameOf(text: string): string {
  const touched = [...text.matchAll(TOUCHES)].map(([, verb, table, called]) =>
    called === undefined ? `${verb === 'insert into' ? 'insert' : 'read'} ${table}` : called,
  );
  if (touched.length === 0) {
    return text.trim().replaceAll(/\s+/g, ' ').slice(0, WORDS_CHARACTERS_MAX);
  }
  const by = WHERE.exec(text)?.[1];
  return [...new Set(touched), ...(by === undefined ? [] : [`by ${by}`])].join(', ');
}
