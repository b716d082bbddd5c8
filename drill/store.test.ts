// SPDX-License-Identifier: Apache-2.0

import { store } from './store.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('a store that goes or is full in the middle of a capture costs time only', store, [
  'directory',
]);
shortForm(
  'a bucket that goes, or whose key does, in the middle of a capture costs time only',
  store,
  ['bucket'],
);
