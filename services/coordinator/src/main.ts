// SPDX-License-Identifier: Apache-2.0
import { run } from '@impound/runtime/run.ts';
import { coordinator } from './service.ts';

await run(coordinator);
