// SPDX-License-Identifier: Apache-2.0
import type { Tools } from './batch.ts';

/**
 * The same tools with a time that never goes back, whatever the clock does: in the order of the log
 * nothing was recorded before what stands before it. `since` is when the last entry was recorded.
 */
export function steady(tools: Tools, since = ''): Tools {
  let last = since;
  const now = () => {
    const read = tools.now();
    if (read > last) last = read;
    return last;
  };
  return { ...tools, now };
}
