// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { LOG_KEY_ROLES, type LogKeyRole } from '@impound/contracts/log-key.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import { readLogKeys, rotatedLogKeys, succeedingLogKeys } from '@impound/transparency/log-keys.ts';
import type { Here } from './command.ts';
import { EXIT, Exit } from './exit-code.ts';
import { writeSecret } from './keys.ts';

/** Changes who signs for a log, in the file of its secret; what the file holds is never shown. */
export async function changeLogKeys(
  here: Here,
  how: 'rotate' | 'succeed',
  [file, ...more]: readonly string[],
): Promise<number> {
  if (file === undefined || more.length > 0) {
    throw new Exit(EXIT.usage, `ledger ${how} takes one file: the secret of the log`);
  }
  const secret = await readText(file);
  try {
    if (how === 'rotate') await rotate(here, file, secret);
    else await succeed(here, secret);
  } catch (cause) {
    if (cause instanceof Exit) throw cause;
    throw new Exit(EXIT.failed, `${file}: ${messageOf(cause)}`, { cause });
  }
  return EXIT.ok;
}

async function rotate({ args, printer }: Here, file: string, secret: string): Promise<void> {
  const role = LOG_KEY_ROLES.find((one) => one === args.needed('role'));
  if (role === undefined) throw new Exit(EXIT.usage, `--role is ${LOG_KEY_ROLES.join(', ')}`);
  const next = rotatedLogKeys(secret, role);
  await writeSecret(file, next);
  tell(printer, next, role);
  printer.line('next: start the ledger again; it records the new key, for which the old vouches');
}

async function succeed({ args, printer }: Here, secret: string): Promise<void> {
  const [known, ...others] = args.list('known');
  if (known === undefined || others.length > 0) {
    throw new Exit(EXIT.usage, '--known F: the one checkpoint that is newest outside');
  }
  const held = Number(args.needed('held'));
  if (!Number.isSafeInteger(held) || held < 0) throw new Exit(EXIT.usage, '--held is a count');
  const out = args.needed('out');
  const next = await succeedingLogKeys(secret, args.needed('origin'), {
    note: await readText(known),
    held,
    orderedBy: args.needed('actor'),
    because: args.needed('reason'),
  });
  await writeSecret(out, next);
  tell(printer, next, 'checkpoint');
  printer.line(`next: keep the old database as it is, and start the ledger with ${out} on a new`);
  printer.line('one, and without the old stream: docs/recovery.md');
}

function tell(printer: Here['printer'], secret: string, role: LogKeyRole): void {
  const { origin, [role]: signer } = readLogKeys(secret);
  const publicKey = signer.publicKey.toString('base64');
  printer.value('log-keys', { origin, role, publicKey });
  printer.line(`${origin}: the ${role} key is ${publicKey} from the next start on`);
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new Exit(EXIT.usage, `${file} cannot be read: ${cause.code}`, { cause });
  });
}
