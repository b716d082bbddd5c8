// SPDX-License-Identifier: Apache-2.0

import { crowd } from './crowd.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('of several who could decide one does, and nothing is done twice', crowd);
