// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { text } from './ids.ts';

/** What made an integration ask, by the name that the sender has for it. */
export const Finding = z.strictObject({
  /** The sender's own id: an alert that fires again has it again. */
  uid: text(256),
  title: text(512).optional(),
  /** The product that found it. */
  product: text(128).optional(),
  severity: text(32).optional(),
});
export type Finding = z.output<typeof Finding>;
