// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Signer, Signers, signerSuccessionText } from '@impound/contracts/signer.ts';
import { SIGNING_SERVICES } from '@impound/contracts/signing-services.ts';
import { newStatementKey, statementSigner } from '@impound/runtime/statement.ts';
import { EXIT, Exit } from './exit-code.ts';
import { writeSecret } from './keys.ts';

/** The list of public keys beside the keys: the ledger's SIGNERS. */
export const SIGNERS_FILE = 'signers.json';

/** The file of the key by which a service signs: its STATEMENT_KEY_FILE. */
export function statementKeyName(service: string): string {
  return `${service}.pem`;
}

/** Keys in PEM by service, and the list of their public halves as text. */
export interface StatementKeys {
  readonly keys: ReadonlyMap<string, string>;
  readonly signers: string;
}

/** How files of a folder are made and read: by whom they belong to. */
export interface SignerFiles {
  /** What the file says; the given text is put there where nothing is. */
  once(name: string, text: string): Promise<string>;
  /** Puts this text there where another one is. */
  derive(name: string, text: string): Promise<void>;
  read(name: string): Promise<string | undefined>;
}

/**
 * The keys by which services sign what they say, and the list of their public halves; what is
 * missing is made. Where a key was taken away and made anew, nobody vouches for it, and the one
 * before counts until it is finished.
 */
export async function makeStatementKeys(files: SignerFiles): Promise<StatementKeys> {
  const keys = new Map<string, string>();
  let listed = listIn(await files.read(SIGNERS_FILE));
  for (const service of SIGNING_SERVICES) {
    const pem = await files.once(statementKeyName(service), newStatementKey());
    keys.set(service, pem);
    const publicKey = publicKeyOf(service, pem);
    const known = listed[service] ?? [];
    if (known.some((one) => one.publicKey === publicKey)) continue;
    listed = { ...listed, [service]: [...known, { publicKey }] };
  }
  const signers = textOf(listed);
  await files.derive(SIGNERS_FILE, signers);
  return { keys, signers };
}

/** The same in a folder of our own. */
export function signerFolder(folder: string): SignerFiles {
  const read = (name: string) => readIfThere(join(folder, name));
  const write = (name: string, text: string) => writeSecret(join(folder, name), text);
  return {
    read,
    once: async (name, text) => {
      const there = await read(name);
      if (there === undefined) await write(name, text);
      return there ?? text;
    },
    derive: async (name, text) => {
      if ((await read(name)) !== text) await write(name, text);
    },
  };
}

/** Gives a service another key, for which the one before vouches; both count until --finish. */
export async function rotateSigner(folder: string, service: string): Promise<void> {
  const listed = await knownList(folder);
  const file = join(folder, statementKeyName(service));
  const known = listed[service];
  const pem = await readIfThere(file);
  if (known === undefined || pem === undefined) {
    const services = Object.keys(listed).join(', ');
    throw new Exit(EXIT.usage, `--rotate ${service}: ${folder} has keys of ${services}`);
  }
  if (known.length > 1) {
    throw new Exit(EXIT.failed, `${service}: end the rotation before with --finish`);
  }
  const next = newStatementKey();
  const key = await vouched(service, { before: pem, next });
  // The list first: a key that nobody holds harms less than one that nobody knows.
  await writeSecret(join(folder, SIGNERS_FILE), textOf({ ...listed, [service]: [...known, key] }));
  await writeSecret(file, next);
}

async function vouched(
  service: string,
  { before, next }: { readonly before: string; readonly next: string },
): Promise<Signer> {
  const signer = statementSigner(before);
  const publicKey = publicKeyOf(service, next);
  const signed = await signer.sign(Buffer.from(signerSuccessionText(service, publicKey)));
  const by = signer.publicKey.toString('base64');
  return { publicKey, vouched: { by, signature: Buffer.from(signed).toString('base64') } };
}

/** Forgets the keys that were rotated away: the ledger retires them at its next start. */
export async function finishSigners(folder: string): Promise<void> {
  const newest = Object.entries(await knownList(folder)).map(
    ([service, keys]) => [service, keys.slice(-1)] as const,
  );
  await writeSecret(join(folder, SIGNERS_FILE), textOf(Object.fromEntries(newest)));
}

/** The list in a folder. Throws Exit where it has none. */
export async function knownList(folder: string): Promise<Signers> {
  const text = await readIfThere(join(folder, SIGNERS_FILE));
  if (text !== undefined) return listIn(text);
  throw new Exit(EXIT.usage, `${folder} has no ${SIGNERS_FILE}: impound init and up make it`);
}

/** What doctor looks at: the list in a folder, and whose keys lie beside it. Throws Exit. */
export async function heldSigners(folder: string) {
  const listed = listIn(await readIfThere(join(folder, SIGNERS_FILE)));
  const held = new Map<string, string>();
  for (const service of SIGNING_SERVICES) {
    const pem = await readIfThere(join(folder, statementKeyName(service)));
    if (pem !== undefined) held.set(service, publicKeyOf(service, pem));
  }
  return { listed, held };
}

/** Reads a list of public keys by service. Throws Exit. */
function listIn(text: string | undefined): Signers {
  if (text === undefined) return {};
  try {
    return Signers.parse(JSON.parse(text));
  } catch (cause) {
    const what = `${SIGNERS_FILE} is no list of public keys by service: put it back`;
    throw new Exit(EXIT.failed, what, { cause });
  }
}

function textOf(signers: Signers): string {
  return `${JSON.stringify(signers, null, 2)}\n`;
}

function publicKeyOf(service: string, pem: string): string {
  try {
    return statementSigner(pem).publicKey.toString('base64');
  } catch (cause) {
    const what = `${statementKeyName(service)} is no Ed25519 key in PEM: remove it for a new one`;
    throw new Exit(EXIT.failed, what, { cause });
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new Exit(EXIT.failed, `${path} cannot be read: ${cause.code}`, { cause });
  });
}
