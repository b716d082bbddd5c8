// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { type Direction, incompatibilities, type Schema } from '../generate/compatibility.ts';
import { type FrozenChain, type FrozenKind, stateOf } from '../generate/freeze.ts';
import { type MessageKind, meaningOf } from '../generate/messages.ts';
import { known } from '../generate/specimens.ts';
import { Entry } from '../src/entry.ts';

/** What people write by hand: a new release has to read what was written for an old one. */
const WRITTEN_BY_HAND: ReadonlySet<string> = new Set(['order', 'integrations']);

/** Why one kind of message of an old release and the same one of today do not go together. */
export function judgeKind(
  name: string,
  old: FrozenKind,
  today: FrozenKind | undefined,
  kind: MessageKind | undefined,
): string[] {
  if (today === undefined) return [`message-removed: ${name}: chains and old processes have it`];
  const direction: Direction = WRITTEN_BY_HAND.has(name) ? 'read' : 'both';
  const structure = incompatibilities(old.schema, today.schema, direction).map(
    ({ rule, at, because }) => `${rule}: ${name} ${at}: ${because}`,
  );
  if (kind === undefined) return structure;
  const accepts = accepting(old.schema);
  return [
    ...structure,
    ...old.specimens.flatMap(({ sent, meaning }) => judgeOld(kind, sent, meaning)),
    ...today.specimens.flatMap(({ sent }) => judgeNew(kind, sent, { schema: old.schema, accepts })),
  ];
}

/** One for all, so that what schemas are made of is compiled once; releases share their names. */
const ajv = new Ajv2020({ strict: false, validateFormats: false, addUsedSchema: false });
const compiled = new Map<string, ValidateFunction>();

/** Most schemas are the same in every release. */
function accepting(schema: Schema): ValidateFunction {
  const text = JSON.stringify(schema);
  const found = compiled.get(text) ?? ajv.compile(schema);
  compiled.set(text, found);
  return found;
}

/** What an old process sent is read today, and means the same. */
function judgeOld(kind: MessageKind, sent: string, meaning: unknown): string[] {
  try {
    const now: unknown = JSON.parse(JSON.stringify(meaningOf(kind, sent)));
    if (isDeepStrictEqual(alike(now, meaning), meaning)) return [];
    return [`meaning-changed: ${kind.name}: ${sent.slice(0, 200)}`];
  } catch (error) {
    return [`not-read: ${kind.name}: ${sent.slice(0, 200)}: ${String(error).slice(0, 200)}`];
  }
}

/** What is sent today an old process reads, once it has ignored what it does not know. */
function judgeNew(
  kind: MessageKind,
  sent: string,
  { schema, accepts }: { readonly schema: Schema; readonly accepts: ValidateFunction },
): string[] {
  const value: unknown = JSON.parse(sent);
  const data = kind.recorded ? Entry.parse(value).event.data : value;
  if (accepts(known(data, schema))) return [];
  const because = JSON.stringify(accepts.errors?.[0]).slice(0, 200);
  return [`not-read-by-old: ${kind.name}: ${because}`];
}

/** A chain of an old release, read today, tells of the same acquisition. */
export function judgeFrozenChain(name: string, { entries, meaning }: FrozenChain): string[] {
  const now: unknown = JSON.parse(JSON.stringify(stateOf(entries)));
  if (isDeepStrictEqual(alike(now, meaning), meaning)) return [];
  return [`meaning-changed: chain ${name}`];
}

/** A value without the fields that another one has not: what a later release adds is no change. */
function alike(value: unknown, other: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(other)) {
    return value.map((item, at) => alike(item, other[at]));
  }
  if (typeof value !== 'object' || value === null || typeof other !== 'object' || other === null) {
    return value;
  }
  const fields = Object.entries(value).filter(([name]) => name in other);
  return Object.fromEntries(
    fields.map(([name, field]) => [name, alike(field, (other as Record<string, unknown>)[name])]),
  );
}
