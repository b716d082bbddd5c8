// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import type { Schema } from './compatibility.ts';

type Json = unknown;

/**
 * Messages of one shape: its example, the same with nothing that may be left out, with the largest
 * numbers, and with each word of its closed lists. Only what the shape itself takes.
 */
export function specimensOf(shape: z.ZodType, example: Json): readonly Json[] {
  const schema = z.toJSONSchema(shape, { io: 'input', target: 'draft-2020-12' }) as Schema;
  const words = Math.max(0, ...wordCounts(schema));
  const made = [
    example,
    varied(example, schema, { minimal: true }),
    varied(example, schema, { largest: true }),
    ...Array.from({ length: words }, (_, word) => varied(example, schema, { word })),
  ];
  const texts = made
    .filter((one) => shape.safeParse(one).success)
    .map((one) => JSON.stringify(one));
  return [...new Set(texts)].map((text) => JSON.parse(text));
}

interface Variation {
  readonly minimal?: boolean;
  readonly largest?: boolean;
  /** Which word of each list. */
  readonly word?: number;
}

function varied(value: Json, schema: Schema, how: Variation): Json {
  if (Array.isArray(value)) {
    return value.map((item) => varied(item, schema.items ?? {}, how));
  }
  if (typeof value === 'object' && value !== null) return variedFields(value, schema, how);
  const words = schema.anyOf?.find((one) => one.enum)?.enum ?? schema.enum ?? [];
  if (how.word !== undefined && words.length > 0) return words[how.word % words.length];
  const { maximum } = schema;
  return how.largest && typeof value === 'number' && maximum !== undefined ? maximum : value;
}

function variedFields(value: object, schema: Schema, how: Variation): Json {
  const required = new Set(schema.required);
  const kept = Object.entries(value).filter(
    ([name]) => !how.minimal || !(name in (schema.properties ?? {})) || required.has(name),
  );
  return Object.fromEntries(
    kept.map(([name, field]) => [name, varied(field, schema.properties?.[name] ?? {}, how)]),
  );
}

function wordCounts(schema: Schema): number[] {
  const inner = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items ? [schema.items] : []),
    ...(schema.anyOf ?? schema.oneOf ?? []),
  ];
  return [schema.enum?.length ?? 0, ...inner.flatMap(wordCounts)];
}

/** What is left of a message where everything is ignored that a schema does not know. */
export function known(value: Json, schema: Schema): Json {
  if (Array.isArray(value)) return value.map((item) => known(item, schema.items ?? {}));
  if (typeof value !== 'object' || value === null) return value;
  const variants = schema.anyOf ?? schema.oneOf;
  const properties: Record<string, Schema> = {
    ...schema.properties,
    ...Object.assign({}, ...(variants ?? []).map((one) => one.properties)),
  };
  if (Object.keys(properties).length === 0) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name in properties)
      .map(([name, field]) => [name, known(field, properties[name] ?? {})]),
  );
}
