// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import { messageOf } from './fault.ts';
import { statementSigner } from './statement.ts';

const StatementKey = z
  .string()
  .min(1)
  .transform((pem, context) => {
    try {
      return statementSigner(pem);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });

/** What every service reads from its environment, beside its own keys. */
export const houseConfig = z.object({
  NATS_URL: z.string().regex(/^(nats|tls):\/\/[^@\s]+$/, 'nats://host:port, without credentials'),
  /** The seed by which the service proves who it is; bus-keys.ts makes one for each. */
  NATS_NKEY_FILE: z.string().min(1).optional(),
  /** Where results are kept until the ledger has them; absent: in memory only. */
  SPOOL_DIR: z.string().min(1).optional(),
  /** By which it signs what it captures and stores: Ed25519, PKCS #8 in PEM; absent: nothing is. */
  STATEMENT_KEY: StatementKey.optional(),
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

const FILE_BYTES_MAX = 1_048_576;

/**
 * The environment with what it keeps in files: KEY_FILE names a file that holds KEY, so that a
 * secret lies in no environment. Only keys of the schema count, and not those that it reads by
 * such a name itself. Throws ConfigFault, which names keys and never what a file holds.
 */
export async function withFiles(
  schema: z.ZodObject,
  environment: Environment,
): Promise<Environment> {
  const keys = Object.keys(schema.shape).filter(
    (key) => environment[`${key}_FILE`] && !Object.hasOwn(schema.shape, `${key}_FILE`),
  );
  const read = await Promise.allSettled(keys.map((key) => fromFile(key, environment)));
  const faults = read.flatMap((one) => (one.status === 'rejected' ? [one.reason.message] : []));
  if (faults.length > 0) {
    throw new ConfigFault(`the environment does not fit:\n  ${faults.join('\n  ')}`);
  }
  const found = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  return { ...environment, ...Object.fromEntries(found) };
}

/** One line break at the end belongs to the editor, not to the secret. */
async function fromFile(key: string, environment: Environment): Promise<[string, string]> {
  if (environment[key]) throw new Error(`${key} and ${key}_FILE are both given: leave out one`);
  const path = environment[`${key}_FILE`] ?? '';
  try {
    const found = await stat(path);
    if (!found.isFile()) throw Object.assign(new Error(), { code: 'no file' });
    if (found.size > FILE_BYTES_MAX) throw Object.assign(new Error(), { code: 'too large' });
    return [key, (await readFile(path, 'utf8')).replace(/\r?\n$/, '')];
  } catch (error) {
    const { code = 'unreadable' } = error as { code?: string };
    throw new Error(`${key}_FILE names what cannot be read: ${code}`);
  }
}
