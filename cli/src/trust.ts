// SPDX-License-Identifier: Apache-2.0
import { Signers } from '@impound/contracts/signer.ts';
import { readSmallFile } from '@impound/evidence/small-file.ts';
import type { KnownNote } from '@impound/evidence/verify-known.ts';
import type { Trust } from '@impound/evidence/verify-log.ts';
import type { TokenCheck } from '@impound/evidence/verify-time.ts';
import { type Checkpoint, parseCheckpoint } from '@impound/transparency/checkpoint.ts';
import { NOTE_BYTES_MAX, parseNote } from '@impound/transparency/note.ts';
import { parsePolicy } from '@impound/transparency/policy.ts';
import { sshKeyOf } from '@impound/transparency/sigsum.ts';
import { parseVkey } from '@impound/transparency/vkey.ts';
import type { Arguments } from './arguments.ts';
import { EXIT, Exit } from './exit-code.ts';

const FILE_BYTES_MAX = 65_536;

/**
 * Whom the command line says to believe: --vkey as text or in a file, --policy, --submitter,
 * --signers and --tsa in files; and --cosigned-since, a time. Throws Exit(usage) for what is none.
 */
export async function trustOf(args: Arguments): Promise<Trust> {
  const vkey = await read(args.text('vkey'), '--vkey', parseVkey, isVkey);
  const policy = await read(args.text('policy'), '--policy', parsePolicy);
  const submitter = await read(args.text('submitter'), '--submitter', sshKeyOf);
  const certificates = await read(args.text('tsa'), '--tsa', certificatesIn);
  const signers = await read(args.text('signers'), '--signers', signersIn);
  const since = secondOf(args.text('cosigned-since'));
  return {
    time: { check: checkStamp, certificates },
    ...(since === undefined ? {} : { cosignedSince: since }),
    ...(vkey === undefined ? {} : { key: vkey }),
    ...(policy === undefined ? {} : { policy }),
    ...(submitter === undefined ? {} : { submitter }),
    ...(signers === undefined ? {} : { signers }),
  };
}

/** The library is heavy, and few bags need it. */
const checkStamp: TokenCheck = async (token, on) => {
  const { checkToken } = await import('@impound/timestamp/token.ts');
  return await checkToken(token, on);
};

function signersIn(text: string): Signers {
  try {
    return Signers.parse(JSON.parse(text));
  } catch {
    throw new Error('it is no list of public keys by service');
  }
}

function certificatesIn(text: string): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Error('it holds no certificate in PEM');
}

/** Checkpoints that others have kept, in files. Throws Exit(usage) for what cannot be one. */
export async function knownNotes(args: Arguments): Promise<readonly KnownNote[]> {
  const read = args.list('known').map(async (name) => {
    const bytes = await readSmallFile(name, NOTE_BYTES_MAX).catch((cause: unknown) => {
      throw new Exit(EXIT.usage, `--known ${name} cannot be read: ${messageOf(cause)}`, { cause });
    });
    return { name, bytes };
  });
  return await Promise.all(read);
}

/** The same, read. Throws Exit(usage) for what is no checkpoint. */
export async function knownCheckpoints(args: Arguments): Promise<readonly Checkpoint[]> {
  return (await knownNotes(args)).map(({ name, bytes }) => {
    try {
      return parseCheckpoint(parseNote(bytes).text);
    } catch (cause) {
      throw new Exit(EXIT.usage, `--known ${name}: ${messageOf(cause)}`, { cause });
    }
  });
}

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/;

function secondOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const milliseconds = TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isSafeInteger(milliseconds)) return BigInt(Math.floor(milliseconds / 1_000));
  const what = 'is a time in UTC, such as 2026-11-28T10:00Z or 2026-11-28';
  throw new Exit(EXIT.usage, `--cosigned-since ${text}: it ${what}`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
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
    throw new Exit(EXIT.usage, `${option} ${value}: ${messageOf(cause)}`, { cause });
  }
}
