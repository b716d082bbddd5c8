// SPDX-License-Identifier: Apache-2.0
import { AcquisitionSealedV1 } from '@impound/contracts/acquisition/sealed.v1.ts';
import type { Added } from './ports.ts';

/** Tells whoever waits for it that an acquisition was sealed. */
export function openSeals() {
  let next = Promise.withResolvers<void>();
  return {
    /** Resolves with the first seal that was committed since it last did. */
    sealed: async (): Promise<void> => {
      await next.promise;
      next = Promise.withResolvers();
    },
    /** Told after each commit what was added. */
    heard: ({ drafts }: Pick<Added, 'drafts'>): void => {
      if (drafts.some(({ event }) => event.type === AcquisitionSealedV1.type)) next.resolve();
    },
  };
}
