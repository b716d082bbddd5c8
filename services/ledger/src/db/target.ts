// SPDX-License-Identifier: Apache-2.0
import type { Database, Fragment } from '@impound/runtime/postgres.ts';

/** First entries of chains of one target, in words that their index knows. */
export function isOfTarget(sql: Database, target: string): Fragment {
  return sql`left(target, 512) = left(${target}, 512) and target = ${target}`;
}
