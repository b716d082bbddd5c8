// SPDX-License-Identifier: Apache-2.0
import { shortForm } from './testing/short-form.ts';
import { zombie } from './zombie.ts';

shortForm('what stood still and wakes up is fenced, and what it did is on record', zombie);
