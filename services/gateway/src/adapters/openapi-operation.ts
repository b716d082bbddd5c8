// SPDX-License-Identifier: Apache-2.0
import type * as z from 'zod';

/** One thing that can be asked for, as OpenAPI tells it. */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly status: number;
  readonly type: string;
  readonly answer?: z.ZodType;
  /** Statuses of problems beside those that everything has. */
  readonly problems: readonly number[];
  /** How it is known who asks; absent: by a bearer token or a client certificate. */
  readonly security?: readonly object[];
}
