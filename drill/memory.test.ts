// SPDX-License-Identifier: Apache-2.0

import { memory } from './memory.ts';
import { shortForm } from './testing/short-form.ts';

shortForm(
  'bytes pass through an executor below 256 MB, and a slow store slows the container',
  memory,
);
