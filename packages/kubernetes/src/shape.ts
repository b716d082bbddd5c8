// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { KubernetesFault, quote } from './fault.ts';

/** Text that may be missing or of another type without making the rest useless. */
export const maybeText = z.string().optional().catch(undefined);
export const maybeNumber = z.number().optional().catch(undefined);
export const flag = z.boolean().catch(false);

/** Labels and annotations: what is not a map of strings counts as none. */
export const textMap = z.record(z.string(), z.string()).nullish().catch({}).transform(orEmpty);

function orEmpty(map: Record<string, string> | null | undefined): Readonly<Record<string, string>> {
  return map ?? {};
}

/** A part that may be missing altogether: then all of its fields are. */
export function section<Shape extends z.ZodType>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, shape);
}

/** A list in which entries of a wrong form are left out; null and absent count as empty. */
export function tolerantArray<Shape extends z.ZodType>(shape: Shape) {
  return z
    .array(z.unknown())
    .nullish()
    .catch([])
    .transform((entries): readonly z.output<Shape>[] =>
      (entries ?? []).flatMap((entry) => {
        const parsed = shape.safeParse(entry);
        return parsed.success ? [parsed.data] : [];
      }),
    );
}

/** The one fault for an object without what it must have. The object itself is never quoted. */
export function parsed<Shape extends z.ZodType>(shape: Shape, json: unknown, what: string) {
  const result = shape.safeParse(json);
  if (result.success) return result.data;
  const path = result.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new KubernetesFault(
    'malformed-answer',
    `the cluster's answer is no ${what}${path && ` (at ${quote(path)})`}; ` +
      'check that the address is an API server',
  );
}
