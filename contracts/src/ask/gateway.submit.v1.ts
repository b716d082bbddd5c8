// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { AcquisitionId, Tenant, text } from '../ids.ts';
import { Order } from '../order.ts';
import { question } from '../question.ts';

/** The NATS door: the same order as POST /v1/acquisitions, answered after the commit. */
export const GatewaySubmitV1 = question({
  name: 'gateway.submit.v1',
  outside: true,
  request: z.object({
    /** Left out, the integration's own; another one is refused. */
    tenant: Tenant.optional(),
    /** A second proof, where the server's word of who asks can be forged. */
    token: text(512).optional(),
    idempotencyKey: text(255).optional(),
    order: Order,
  }),
  reply: z.object({
    acquisitionId: AcquisitionId.optional(),
    /** Absent where it was accepted: RFC 9457 fields otherwise. */
    problem: z
      .object({ type: text(256), title: text(256), status: z.int(), detail: text(4_096) })
      .optional(),
  }),
  example: {
    request: {
      tenant: 'default',
      token: 'secret',
      order: {
        target: 'kubernetes://prod-eu/shop/cart-7f9c/cart',
        caseId: 'IR-2026-017',
        reason: 'Falco: a shell was started in a web server',
      },
    },
    reply: { acquisitionId: '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01' },
  },
});
