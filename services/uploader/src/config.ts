// SPDX-License-Identifier: Apache-2.0
import { Secret } from '@impound/runtime/secret.ts';
import * as z from 'zod';

const KEY_BYTES_MIN = 32;

/** The environment of the uploader. */
export const config = z.object({
  /** A directory that belongs to this process alone. */
  STORE_DIR: z.string().min(1),
  /** The most that objects and unfinished parts may take together; absent: what the disk has. */
  STORE_BYTES_MAX: z.coerce.number().int().min(1).optional(),
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
