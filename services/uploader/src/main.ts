// SPDX-License-Identifier: Apache-2.0
import { run } from '@impound/runtime/run.ts';
import { uploader } from './service.ts';

await run(uploader, { bytesPass: true });
