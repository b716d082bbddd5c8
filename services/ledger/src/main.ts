// SPDX-License-Identifier: Apache-2.0
import { run } from '@impound/runtime/run.ts';
import { ledger } from './service.ts';

await run(ledger);
