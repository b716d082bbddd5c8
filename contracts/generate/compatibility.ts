// SPDX-License-Identifier: Apache-2.0

/** As much of JSON Schema 2020-12 as the contracts make. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly [keyword: string]: unknown;
}

/**
 * Who reads what. `both`: old and new processes run side by side, so each reads what the other
 * says. `read`: what people wrote for an old release, a new one has to read.
 */
export type Direction = 'both' | 'read';

export type Rule =
  | 'type-changed'
  | 'field-removed'
  | 'field-required'
  | 'field-optional'
  | 'closed'
  | 'limit-narrowed'
  | 'limit-widened'
  | 'form-changed'
  | 'word-removed'
  | 'word-added'
  | 'variant-removed'
  | 'variant-added';

/** One change that an old or a new process would not understand. */
export interface Finding {
  readonly rule: Rule;
  /** Where: field names, `[]` for the items of a list, `{}` for the values of a map. */
  readonly at: string;
  readonly because: string;
}

/** Rules that are about what a new process says and an old one reads. */
const OF_OLD_READERS: ReadonlySet<Rule> = new Set([
  'field-optional',
  'limit-widened',
  'word-added',
  'variant-added',
]);

/**
 * What changed between two versions of one schema beyond optional fields that were added and words
 * of an open list. Nothing: each reads what the other writes, once unknown fields are ignored.
 */
export function incompatibilities(
  old: Schema,
  now: Schema,
  direction: Direction,
): readonly Finding[] {
  const all = compared(old, now, '$');
  return direction === 'both' ? all : all.filter(({ rule }) => !OF_OLD_READERS.has(rule));
}

function compared(old: Schema, now: Schema, at: string): Finding[] {
  const variants = variantsOf(old);
  if (variants !== undefined || variantsOf(now) !== undefined) {
    return comparedVariants(variants ?? [old], variantsOf(now) ?? [now], at);
  }
  if (old.type !== now.type) {
    return [{ rule: 'type-changed', at, because: `${old.type} became ${now.type}` }];
  }
  return [
    ...comparedFields(old, now, at),
    ...comparedWords(wordsOf(old), wordsOf(now), at),
    ...comparedForms(old, now, at),
    ...comparedLimits(old, now, at),
    ...(old.items && now.items ? compared(old.items, now.items, `${at}[]`) : []),
    ...comparedRest(old.additionalProperties, now.additionalProperties, at),
  ];
}

function variantsOf({ anyOf, oneOf }: Schema): readonly Schema[] | undefined {
  return anyOf ?? oneOf;
}

/** Every old variant has to be read, and every new one was there. */
function comparedVariants(old: readonly Schema[], now: readonly Schema[], at: string): Finding[] {
  const open = old.some(isAnyWord) && now.some(isAnyWord);
  const [before, after] = open ? [old.filter(isNoWord), now.filter(isNoWord)] : [old, now];
  const fits = (one: Schema, other: Schema) => compared(one, other, at).length === 0;
  const gone = before.filter((one) => !after.some((other) => fits(one, other)));
  const added = after.filter((other) => !before.some((one) => fits(one, other)));
  // One for one it is a variant that changed, and what changed in it says more.
  const [one, other] = [gone[0], added[0]];
  if (one && other && gone.length === 1 && added.length === 1) return compared(one, other, at);
  return [
    ...(open ? comparedWords(old.flatMap(wordsOf), now.flatMap(wordsOf), at) : []).filter(isLoss),
    ...gone.map((lost) => variantFinding('variant-removed', lost, at)),
    ...added.map((more) => variantFinding('variant-added', more, at)),
  ];
}

/** A word more is no harm where the list is open. */
function isLoss({ rule }: Finding): boolean {
  return rule === 'word-removed';
}

function variantFinding(rule: Rule, variant: Schema, at: string): Finding {
  return { rule, at, because: JSON.stringify(variant).slice(0, 200) };
}

function isAnyWord(one: Schema): boolean {
  return one.type === 'string' && wordsOf(one).length === 0;
}

function isNoWord(one: Schema): boolean {
  return !isAnyWord(one) && wordsOf(one).length === 0;
}

function wordsOf(one: Schema): readonly unknown[] {
  return one.enum ?? ('const' in one ? [one.const] : []);
}

function comparedWords(old: readonly unknown[], now: readonly unknown[], at: string): Finding[] {
  if (old.length > 0 && now.length > 0) {
    const lost = old.filter((word) => !now.includes(word));
    const more = now.filter((word) => !old.includes(word));
    return [
      ...lost.map((word) => wordFinding('word-removed', word, at)),
      ...more.map((word) => wordFinding('word-added', word, at)),
    ];
  }
  if (old.length === now.length) return [];
  return old.length === 0
    ? [{ rule: 'word-removed', at, because: 'only certain words are read' }]
    : [{ rule: 'word-added', at, because: 'any word may be said' }];
}

function wordFinding(rule: Rule, word: unknown, at: string): Finding {
  return { rule, at, because: JSON.stringify(word) };
}

function comparedFields(old: Schema, now: Schema, at: string): Finding[] {
  const [before, after] = [old.properties ?? {}, now.properties ?? {}];
  const [had, has] = [new Set(old.required), new Set(now.required)];
  const findings: Finding[] = [];
  for (const [name, field] of Object.entries(before)) {
    const where = `${at}.${name}`;
    const there = after[name];
    if (there === undefined) findings.push({ rule: 'field-removed', at: where, because: 'gone' });
    else findings.push(...compared(field, there, where));
    if (there !== undefined && had.has(name) && !has.has(name)) {
      const because = 'an old reader refuses a message without it';
      findings.push({ rule: 'field-optional', at: where, because });
    }
  }
  for (const name of [...has].filter((one) => !had.has(one))) {
    const because = 'an old message does not have it';
    findings.push({ rule: 'field-required', at: `${at}.${name}`, because });
  }
  return findings;
}

function comparedForms(old: Schema, now: Schema, at: string): Finding[] {
  return ['pattern', 'format', 'contentEncoding']
    .filter((keyword) => old[keyword] !== now[keyword])
    .map((keyword) => {
      const because = `${keyword} ${old[keyword]} became ${now[keyword]}`;
      return { rule: 'form-changed', at, because };
    });
}

/** Limits by the value that stands for a limit that is left out. */
const LIMITS: readonly (readonly [string, number])[] = [
  ...['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties'].map(
    (keyword) => [keyword, Number.POSITIVE_INFINITY] as const,
  ),
  ...['minLength', 'minItems', 'minProperties'].map((keyword) => [keyword, 0] as const),
  ...['minimum', 'exclusiveMinimum'].map((keyword) => [keyword, Number.NEGATIVE_INFINITY] as const),
];

function comparedLimits(old: Schema, now: Schema, at: string): Finding[] {
  return LIMITS.flatMap(([keyword, none]): Finding[] => {
    const [before, after] = [Number(old[keyword] ?? none), Number(now[keyword] ?? none)];
    if (before === after) return [];
    const wider = none > 0 ? after > before : after < before;
    const rule = wider ? 'limit-widened' : 'limit-narrowed';
    return [{ rule, at, because: `${keyword} ${before} became ${after}` }];
  });
}

function comparedRest(
  old: Schema | boolean | undefined,
  now: Schema | boolean | undefined,
  at: string,
): Finding[] {
  if (typeof old === 'object' && typeof now === 'object') return compared(old, now, `${at}{}`);
  const [closedBefore, closedNow] = [old === false, now === false];
  if (closedBefore || !closedNow) return [];
  return [{ rule: 'closed', at, because: 'fields that it does not know are refused' }];
}
