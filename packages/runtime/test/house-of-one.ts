// SPDX-License-Identifier: Apache-2.0
// A whole process for tests of run(): it hears nothing, its open may hang and its practice fails.
import * as z from 'zod';
import { Never } from '../src/fault.ts';
import { run } from '../src/run.ts';
import { SecretText } from '../src/secret.ts';
import { service } from '../src/service.ts';

await run(
  service({
    name: 'one',
    config: z.object({
      STORE_DIR: z.string().min(1),
      SIGNING_KEY: SecretText,
      STALL_MS: z.coerce.number().int().default(1),
      OPENING: z.enum(['hangs', 'fails']).optional(),
    }),
    open: async ({ OPENING, SIGNING_KEY }, scope, { log }) => {
      const { length } = SIGNING_KEY.reveal();
      scope.defer(() => log.info('closed what was opened', { key: SIGNING_KEY, length }));
      log.info('opening');
      if (OPENING === 'fails') throw new Never('store-missing', 'the store is not there: make it');
      if (OPENING === 'hangs') await new Promise(() => undefined);
      return {};
    },
    says: [],
    hears: [],
    answers: [],
    practice: async () => {
      throw new Error('there is nothing to practise on');
    },
  }),
);
