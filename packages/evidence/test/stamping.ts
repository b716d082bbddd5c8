// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { stamp } from '@impound/timestamp/authority.ts';
import { opensslAuthority } from '@impound/timestamp/testing/openssl-authority.ts';

/** Why tests with an authority of time are skipped; false: they are not. */
export const NO_OPENSSL =
  spawnSync('openssl', ['version']).error === undefined
    ? false
    : 'no openssl here: apt-get install openssl';

/** An authority of time that is made of `openssl ts`, for as long as the scope lasts. */
export async function stampingAuthority(scope: AsyncDisposableStack) {
  const authority = await opensslAuthority({ after: (work) => scope.defer(work) });
  const { url, root } = authority;
  const on = { url, trusted: [root] };
  const signal = AbortSignal.timeout(280_000);
  return { root, stamp: async (data: Buffer) => (await stamp(on, data, signal)).token };
}
