// SPDX-License-Identifier: Apache-2.0
import { Actor } from '@impound/contracts/actor.ts';
import { Sha256, Tenant } from '@impound/contracts/ids.ts';
import * as z from 'zod';

/** What can stand behind `Bearer` in a header: 16 to 512 visible ASCII characters. */
const BearerToken = z.string().regex(/^[\x21-\x7e]{16,512}$/, '16 to 512 visible ASCII');

/**
 * Who may come in: a list of tokens, each as its SHA-256 (better) or as it is. `approval`: whether
 * what this caller asks for waits for a second person; `mayApprove`: whether it can be that person.
 */
export const TokenList = z
  .array(
    z
      .strictObject({
        token: BearerToken.optional(),
        tokenSha256: Sha256.optional(),
        actor: z.strictObject({ id: Actor.shape.id, kind: Actor.shape.kind }),
        tenant: Tenant,
        mayApprove: z.boolean().default(false),
        approval: z.enum(['never', 'always']).default('always'),
      })
      .refine((entry) => (entry.token === undefined) !== (entry.tokenSha256 === undefined), {
        message: 'give token or tokenSha256, one of the two',
      }),
  )
  .min(1)
  .max(1_000);
export type TokenList = z.output<typeof TokenList>;

/** Who asks, and what it may. */
export interface Caller {
  readonly actor: Actor;
  readonly tenant: Tenant;
  readonly mayApprove: boolean;
  readonly approval: 'never' | 'always';
}
