// SPDX-License-Identifier: Apache-2.0
import { mixedVersions } from './mixed-versions.ts';
import { shortForm } from './testing/short-form.ts';

shortForm('an earlier, this and a next version work together, process by process', mixedVersions);
