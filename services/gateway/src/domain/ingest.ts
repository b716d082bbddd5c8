// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { Refusal } from './problem.ts';

/** A text with places: `{/a/b}` is a JSON Pointer into the alert, `{?name}` what the URL says. */
const Template = z.string().min(1).max(2_048);

/** How the alerts of one product become orders: of several templates the first that has it all. */
export const Preset = z.strictObject({
  about: z.string(),
  /** Places that have to say this: findings of one product are about many kinds of things. */
  only: z.record(z.string().startsWith('/'), z.string()).optional(),
  /** The product's words for a value that it does not know. */
  nothing: z.array(z.string()).optional(),
  target: z.array(Template).min(1),
  caseId: z.array(Template).min(1),
  reason: z.array(Template).min(1),
  finding: z.strictObject({
    uid: z.array(Template).min(1),
    title: z.array(Template).optional(),
    product: z.array(Template).optional(),
    severity: z.array(Template).optional(),
  }),
});
export type Preset = z.output<typeof Preset>;

const REASON_CHARACTERS_MAX = 1_024;
const TITLE_CHARACTERS_MAX = 512;
const UID_CHARACTERS_MAX = 256;
const WORD_CHARACTERS_MAX = 32;

/** The order that an alert stands for, still to be checked as any other. Throws Refusal. */
export function orderFrom(
  preset: Preset,
  alert: unknown,
  query: Readonly<Record<string, string | undefined>>,
): object {
  refuseOthers(preset, alert);
  const { nothing = [] } = preset;
  const given = (place: string) => {
    const text = place.startsWith('?') ? query[place.slice(1)] : textAt(alert, place);
    return text === '' || (text !== undefined && nothing.includes(text)) ? undefined : text;
  };
  const fill = (templates: readonly string[] | undefined, how: How) =>
    templates?.map((one) => filled(one, given, how)).find((text) => text !== undefined);
  const need = (name: string, templates: readonly string[], how: How): string => {
    const text = fill(templates, how);
    if (text !== undefined) return text;
    const wanted = templates.join(' or ');
    const detail = `the alert gives no ${name}: ${wanted}; a place {?x} is filled by ?x= in the URL`;
    throw new Refusal('order-refused', detail, [{ path: name, message: wanted }]);
  };
  const { finding } = preset;
  const optional = {
    title: fill(finding.title, { charactersMax: TITLE_CHARACTERS_MAX }),
    product: fill(finding.product, { charactersMax: 128 }),
    severity: fill(finding.severity, { charactersMax: WORD_CHARACTERS_MAX }),
  };
  const there = Object.entries(optional).filter(([, text]) => text !== undefined);
  const { profile } = query;
  return {
    target: need('target', preset.target, { charactersMax: 2_048, encoded: true }),
    caseId: need('caseId', preset.caseId, { charactersMax: 64, plain: true }),
    reason: need('reason', preset.reason, { charactersMax: REASON_CHARACTERS_MAX }),
    finding: {
      uid: need('finding.uid', finding.uid, { charactersMax: UID_CHARACTERS_MAX }),
      ...Object.fromEntries(there),
    },
    ...(profile === undefined ? {} : { profile }),
  };
}

interface How {
  readonly charactersMax: number;
  /** Each place percent-encoded: nothing in an alert can be another part of the target. */
  readonly encoded?: boolean;
  /** Only what a case id may have. */
  readonly plain?: boolean;
}

function refuseOthers({ only = {} }: Preset, alert: unknown): void {
  for (const [place, wanted] of Object.entries(only)) {
    if (textAt(alert, place) === wanted) continue;
    const detail = `the alert is about something else: ${place} is not ${wanted}`;
    throw new Refusal('order-refused', detail, [{ path: place, message: wanted }]);
  }
}

/** Undefined where a place has nothing. */
function filled(
  template: string,
  given: (place: string) => string | undefined,
  how: How,
): string | undefined {
  let whole = true;
  const text = template.replaceAll(/\{([?/][^{}]*)\}/g, (_, place: string) => {
    const value = given(place);
    if (value === undefined) whole = false;
    return how.encoded ? encodeURIComponent((value ?? '').toWellFormed()) : (value ?? '');
  });
  if (!whole) return undefined;
  const clean = how.plain ? text.replaceAll(/[^A-Za-z0-9._-]+/g, '-') : printable(text);
  return clean.slice(0, how.charactersMax).toWellFormed();
}

/** RFC 6901, in own properties only; JSON that stands in a text is looked into. */
function textAt(alert: unknown, pointer: string): string | undefined {
  let value: unknown = alert;
  for (const step of pointer.slice(1).split('/')) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const inside = typeof value === 'string' ? jsonIn(value) : value;
    if (typeof inside !== 'object' || inside === null) return undefined;
    if (!Object.hasOwn(inside, key)) return undefined;
    value = (inside as Record<string, unknown>)[key];
  }
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, ' ');
}
