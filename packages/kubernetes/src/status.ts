// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/** What of a `meta/v1.Status` is used. Kubernetes leaves out what it does not know. */
export interface Status {
  readonly status?: string | undefined;
  readonly message: string;
  readonly reason: string;
  readonly code?: number | undefined;
  readonly causes: readonly { readonly reason: string; readonly message: string }[];
  readonly retryAfterSeconds?: number | undefined;
}

const text = z.string().catch('');

const Shape = z.object({
  status: z.string().optional(),
  message: text,
  reason: text,
  code: z.number().optional().catch(undefined),
  details: z
    .object({
      causes: z.array(z.object({ reason: text, message: text })).catch([]),
      retryAfterSeconds: z.number().nonnegative().optional().catch(undefined),
    })
    .catch({ causes: [], retryAfterSeconds: undefined }),
});

/** Reads a Status from JSON text; undefined if it is none. Never throws. */
export function parseStatus(json: string): Status | undefined {
  const parsed = Shape.safeParse(jsonOrUndefined(json));
  if (!parsed.success) return undefined;
  const { details, ...rest } = parsed.data;
  return { ...rest, ...details };
}

function jsonOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
