// SPDX-License-Identifier: Apache-2.0
import { run } from '@impound/runtime/run.ts';
import { executorKubernetes } from './service.ts';

await run(executorKubernetes, { bytesPass: true });
