// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/** The coordinator reads nothing beside what every service reads. */
export const config = z.object({});
