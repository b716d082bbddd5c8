// SPDX-License-Identifier: Apache-2.0

import { killMatrix } from './kill-matrix.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('whoever is killed, at whichever stage, an acquisition comes to its end', killMatrix);
