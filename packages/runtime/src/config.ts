// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { SecretText } from './secret.ts';

/** What every service reads from its environment, beside its own keys. */
export const houseConfig = z.object({
  NATS_URL: z.string().regex(/^(nats|tls):\/\/[^@\s]+$/, 'nats://host:port, without credentials'),
  NATS_USER: z.string().min(1).optional(),
  NATS_PASSWORD: SecretText.optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
});
export type HouseConfig = z.output<typeof houseConfig>;

/** What a process gets from outside: names and texts. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment does not fit: all faults together, names and rules only, never values. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  /** What sysexits.h calls EX_CONFIG. */
  readonly exitCode = 78;
}

/** Reads one schema from an environment; empty texts count as absent. Throws ConfigFault. */
export function readConfig<Config extends z.ZodObject>(
  schema: Config,
  environment: Environment,
): z.output<Config> {
  const given = Object.keys(schema.shape).flatMap((key) =>
    environment[key] ? [[key, environment[key]] as const] : [],
  );
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const [key] = issue.path.map(String);
    if (key === undefined) return issue.message;
    return environment[key]
      ? `${key} is not what it should be: ${issue.message}`
      : `${key} is missing`;
  });
  throw new ConfigFault(`the environment does not fit:\n  ${faults.join('\n  ')}`);
}
