// SPDX-License-Identifier: Apache-2.0
import type { Surroundings } from './access.ts';
import type { Printer } from './printer.ts';

/** What every command gets. */
export interface Here extends Surroundings {
  readonly printer: Printer;
}

/** A command: does its work and gives the exit code. */
export type Command = (here: Here, signal: AbortSignal) => Promise<number>;
