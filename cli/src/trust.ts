// SPDX-License-Identifier: Apache-2.0
import { readSmallFile } from '@impound/evidence/small-file.ts';
import type { Trust } from '@impound/evidence/verify-log.ts';
import type { TokenCheck } from '@impound/evidence/verify-time.ts';
import { parsePolicy } from '@impound/transparency/policy.ts';
import { sshKeyOf } from '@impound/transparency/sigsum.ts';
import { parseVkey } from '@impound/transparency/vkey.ts';
import type { Arguments } from './arguments.ts';
import { EXIT, Exit } from './exit-code.ts';

const FILE_BYTES_MAX = 65_536;

/**
 * Whom the command line says to believe: --vkey as text or in a file, --policy, --submitter and
 * --tsa in files. Throws Exit(usage) for what is none.
 */
export async function trustOf(args: Arguments): Promise<Trust> {
  const vkey = await read(args.text('vkey'), '--vkey', parseVkey, isVkey);
  const policy = await read(args.text('policy'), '--policy', parsePolicy);
  const submitter = await read(args.text('submitter'), '--submitter', sshKeyOf);
  const certificates = await read(args.text('tsa'), '--tsa', certificatesIn);
  return {
    time: { check: checkStamp, certificates },
    ...(vkey === undefined ? {} : { key: vkey }),
    ...(policy === undefined ? {} : { policy }),
    ...(submitter === undefined ? {} : { submitter }),
  };
}

/** The library is heavy, and few bags need it. */
const checkStamp: TokenCheck = async (token, on) => {
  const { checkToken } = await import('@impound/timestamp/token.ts');
  return await checkToken(token, on);
};

function certificatesIn(text: string): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Error('it holds no certificate in PEM');
}

function isVkey(text: string): boolean {
  return text.split('+').length > 2;
}

async function read<T>(
  value: string | undefined,
  option: string,
  parse: (text: string) => T,
  isText: (value: string) => boolean = () => false,
): Promise<T | undefined> {
  if (value === undefined) return undefined;
  try {
    if (isText(value)) return parse(value);
    const text = (await readSmallFile(value, FILE_BYTES_MAX)).toString('latin1');
    return parse(option === '--vkey' ? text.replace(/\n$/, '') : text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Exit(EXIT.usage, `${option} ${value}: ${why}`, { cause });
  }
}
