// SPDX-License-Identifier: Apache-2.0

import { busAmnesia } from './bus-amnesia.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('a bus that dies and forgets everything costs nothing that was accepted', busAmnesia);
