// SPDX-License-Identifier: Apache-2.0

/** The version of all rooms, as telemetry, answers and statements name it. */
export const VERSION = '0.1.0';
