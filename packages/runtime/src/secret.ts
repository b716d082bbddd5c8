// SPDX-License-Identifier: Apache-2.0
import { inspect } from 'node:util';
import * as z from 'zod';

/** A value that hides itself from template strings, JSON, logs and inspect. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  /** The value: call it in the line that uses it, and keep nothing. */
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

/** A configuration value that becomes a Secret. */
export const SecretText = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));
