// SPDX-License-Identifier: Apache-2.0

import { partition } from './partition.ts';
import { shortForm } from './testing/short-form.ts';

shortForm(
  'an executor that is cut off is fenced, and goes on where it was not away for long',
  partition,
);
