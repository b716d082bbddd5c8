// SPDX-License-Identifier: Apache-2.0

import { readStoreUrl } from '@impound/bucket/store-url.ts';
import { Secret, SecretText } from '@impound/runtime/secret.ts';
import * as z from 'zod';

const KEY_BYTES_MIN = 32;

const DAYS_MAX = 36_500;

/** Where and how evidence is kept: a part of the environment of the uploader. */
export const storeConfig = z.object({
  /** As packages/bucket/src/store-url.ts reads it. */
  STORE_URL: z.string().transform((text, context) => {
    const place = readStoreUrl(text);
    if (typeof place !== 'string') return place;
    context.addIssue({ code: 'custom', message: place });
    return z.NEVER;
  }),
  /** Absent: what the SDK finds by itself, e.g. the identity of the workload. */
  STORE_KEY: SecretText.optional(),
  /** The most that a directory may take; absent: what the disk has. */
  STORE_BYTES_MAX: z.coerce.number().int().min(1).optional(),
  /** governance can be lifted by who has that right, compliance by nobody. */
  RETENTION_MODE: z.enum(['none', 'governance', 'compliance']).default('none'),
  RETENTION_DAYS: z.coerce.number().int().min(1).max(DAYS_MAX).default(365),
});

/** The environment of the uploader. */
export const config = storeConfig.extend({
  UPLOADER_HOST: z.string().min(1).default('127.0.0.1'),
  UPLOADER_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** What signed URLs begin with, where it is not http://127.0.0.1:<port>. */
  UPLOADER_URL: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^?#@]+$/, 'a URL without credentials, query and fragment')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  SIGNING_KEY: z
    .string()
    .refine((key) => Buffer.byteLength(key) >= KEY_BYTES_MIN, `at least ${KEY_BYTES_MIN} bytes`)
    .transform((key) => new Secret(key)),
});
