// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { text } from './ids.ts';

/** Who acts: a person, an integration or a service, and how we know. */
export const Actor = z.object({
  id: text(128),
  kind: z.enum(['person', 'integration', 'service']),
  authn: z.enum(['bearer-token', 'nats', 'local', 'none']),
});
export type Actor = z.output<typeof Actor>;
