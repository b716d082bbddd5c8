// SPDX-License-Identifier: Apache-2.0

import { load } from './load.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('what the gateway accepts is on record and ends, however many come at once', load);
