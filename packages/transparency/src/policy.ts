// SPDX-License-Identifier: Apache-2.0
import { ProofFault } from './proof-fault.ts';
import { sigsumVkey } from './sigsum.ts';
import { KEY_TYPES, parseVkey, type Vkey } from './vkey.ts';

/** A log or a witness that a policy names. */
export interface PolicyLog {
  readonly vkey: Vkey;
  readonly url?: string;
}
export interface PolicyWitness {
  /** Its name in the policy file, which means nothing outside of it. */
  readonly name: string;
  /** The 32 bytes of its Ed25519 key. */
  readonly key: Buffer;
  /** Its name on signature lines; unknown where the policy has the form of sigsum. */
  readonly vkey?: Vkey;
  readonly url?: string;
}

/** Which logs are accepted, and whose cosignatures are enough. */
export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** Whether these witnesses, by their names in the policy, are enough. */
  isQuorum(witnesses: ReadonlySet<string>): boolean;
  /** The rule in words, such as `2 of (a, b, c)`; `none` where no witness is needed. */
  readonly quorum: string;
  /** What it was read from. */
  readonly text: string;
}

const POLICY_CHARACTERS_MAX = 65_536;
const LINES_MAX = 1_024;
const HEX_KEY = /^[0-9a-f]{64}$/;
const NONE = 'none';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const COUNT = /^[1-9][0-9]{0,3}$/;

interface Rule {
  readonly words: string;
  met(by: ReadonlySet<string>): boolean;
}

interface Reading {
  readonly logs: PolicyLog[];
  readonly witnesses: PolicyWitness[];
  readonly rules: Map<string, Rule>;
  readonly members: Set<string>;
  quorum: Rule | undefined;
}

/**
 * Reads a policy of C2SP tlog-policy, or of sigsum, where keys are 32 bytes in hex. Throws
 * ProofFault `policy-malformed` that names the line.
 */
export function parsePolicy(text: string): Policy {
  const lines = text.split('\n');
  if (text.length > POLICY_CHARACTERS_MAX || lines.length > LINES_MAX) throw malformed('too long');
  if (CONTROLS.test(text)) throw malformed('a control character');
  const none: Rule = { words: NONE, met: () => true };
  const rules = new Map([[NONE, none]]);
  const read: Reading = { logs: [], witnesses: [], rules, members: new Set(), quorum: undefined };
  for (const [at, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#')) continue;
    const problem = take(read, words);
    if (problem !== undefined) throw malformed(`line ${at + 1}: ${problem}`);
  }
  const { logs, witnesses, quorum } = read;
  if (quorum === undefined) throw malformed('it has no quorum line');
  return { logs, witnesses, isQuorum: quorum.met, quorum: quorum.words, text };
}

type Take = (read: Reading, words: readonly string[]) => string | undefined;

const TAKES = new Map<string, Take>([
  ['log', takeLog],
  ['witness', takeWitness],
  ['group', takeGroup],
  ['quorum', takeQuorum],
]);

function take(read: Reading, [keyword = '', ...words]: readonly string[]): string | undefined {
  const taken = TAKES.get(keyword);
  return taken === undefined ? 'it begins with no known word' : taken(read, words);
}

function takeLog(read: Reading, [key = '', url, ...more]: readonly string[]): string | undefined {
  const vkey = HEX_KEY.test(key) ? sigsumVkey(Buffer.from(key, 'hex')) : keyOf(key);
  if (vkey?.type !== KEY_TYPES.note || more.length > 0) return 'a log has a key and an address';
  if (read.logs.some((one) => one.vkey.key.equals(vkey.key))) return 'the log is there twice';
  read.logs.push({ vkey, ...(url === undefined ? {} : { url }) });
  return undefined;
}

function takeWitness(read: Reading, words: readonly string[]): string | undefined {
  const [name = '', text = '', url, ...more] = words;
  const vkey = HEX_KEY.test(text) ? undefined : keyOf(text);
  const key = HEX_KEY.test(text) ? Buffer.from(text, 'hex') : vkey?.key;
  const kind = vkey === undefined || vkey.type === KEY_TYPES.cosignature;
  if (key === undefined || !kind || more.length > 0) return 'a witness has a name, key and address';
  if (read.rules.has(name)) return 'its name is taken';
  if (read.witnesses.some((one) => one.key.equals(key))) return 'the witness is there twice';
  const known = vkey === undefined ? {} : { vkey };
  read.witnesses.push({ name, key, ...known, ...(url === undefined ? {} : { url }) });
  read.rules.set(name, { words: name, met: (by) => by.has(name) });
  return undefined;
}

function takeGroup(read: Reading, words: readonly string[]): string | undefined {
  const [name = '', threshold = '', ...names] = words;
  if (name === '' || read.rules.has(name)) return 'its name is missing or taken';
  const count = countOf(threshold, names.length);
  if (count === undefined) return 'a group has a number of its members that is enough, and members';
  const rules: Rule[] = [];
  for (const member of names) {
    const rule = member === NONE ? undefined : read.rules.get(member);
    if (rule === undefined) return 'a member stands on no line before it';
    if (read.members.has(member)) return 'a member belongs to one group only, and once';
    read.members.add(member);
    rules.push(rule);
  }
  const all = rules.map((rule) => rule.words).join(', ');
  read.rules.set(name, {
    words: `${count} of (${all})`,
    met: (by) => rules.filter((rule) => rule.met(by)).length >= count,
  });
  return undefined;
}

function countOf(threshold: string, members: number): number | undefined {
  if (members === 0) return undefined;
  if (threshold === 'all') return members;
  if (threshold === 'any') return 1;
  const count = COUNT.test(threshold) ? Number(threshold) : 0;
  return count >= 1 && count <= members ? count : undefined;
}

function takeQuorum(read: Reading, [name = '', ...more]: readonly string[]): string | undefined {
  const rule = read.rules.get(name);
  if (rule === undefined || more.length > 0) return 'a quorum is one name of a line before it';
  if (read.quorum !== undefined) return 'there are two quorums';
  read.quorum = rule;
  return undefined;
}

function keyOf(text: string): Vkey | undefined {
  try {
    return parseVkey(text);
  } catch {
    return undefined;
  }
}

function malformed(why: string): ProofFault {
  return new ProofFault('policy-malformed', `no policy: ${why}`);
}
