// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import { Progress } from '@impound/contracts/progress.ts';
import { jsonOf } from './ask.ts';
import { messageOf } from './fault.ts';
import type { House } from './service.ts';

/** Hears progress of one acquisition, or of all: lossy, for people and for the lease clock. */
export function watchProgress(
  house: House,
  of: { readonly tenant?: string; readonly acquisitionId?: string },
  heard: (progress: Progress) => void,
  signal: AbortSignal,
): void {
  const subject = ['impound.v1.progress', of.tenant ?? '*', of.acquisitionId ?? '*'].join('.');
  watch(house, subject, signal, (bytes) => {
    const progress = Progress.safeParse(jsonOf(bytes));
    if (progress.success) heard(progress.data);
  });
}

/** Sees the events of one acquisition as they are published: lossy, never a reason to act. */
export function watchEvents(
  house: House,
  of: { readonly tenant: string; readonly acquisitionId: string },
  seen: (entry: Entry) => void,
  signal: AbortSignal,
): void {
  const subject = `impound.v1.event.*.*.*.${of.tenant}.${of.acquisitionId}`;
  watch(house, subject, signal, (bytes) => {
    const entry = Entry.safeParse(jsonOf(bytes));
    if (entry.success) seen(entry.data);
  });
}

function watch(
  house: House,
  subject: string,
  signal: AbortSignal,
  heard: (bytes: Uint8Array) => void,
): void {
  if (signal.aborted) return;
  const subscription = house.connection.subscribe(subject, {
    callback: (error, message) => {
      if (error === null) heard(message.data);
      else house.log.error('nothing is seen', { subject, because: messageOf(error) });
    },
  });
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
}
