// SPDX-License-Identifier: Apache-2.0

import { ledgerAway } from './ledger-away.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('what is done while the ledger is away comes on record when it is back', ledgerAway);
