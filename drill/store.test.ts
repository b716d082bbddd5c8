// SPDX-License-Identifier: Apache-2.0

import { store } from './store.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('a store that goes in the middle of a capture and comes back costs time only', store);
