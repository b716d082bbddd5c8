// SPDX-License-Identifier: Apache-2.0
import { run } from '@impound/runtime/run.ts';
import { gateway } from './service.ts';

await run(gateway);
