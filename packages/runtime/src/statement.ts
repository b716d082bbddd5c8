// SPDX-License-Identifier: Apache-2.0
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
} from 'node:crypto';
import type { WorkerId } from '@impound/contracts/ids.ts';
import type { SayReply } from '@impound/contracts/say.ts';
import {
  DATA_SUBJECT,
  PAYLOAD_TYPE,
  type Predicate,
  preAuthText,
  type Statement,
  statedText,
  statementText,
} from '@impound/contracts/statement.ts';
import { messageOf, Never } from './fault.ts';
import type { Log } from './log.ts';
import type { Saying, SayNow } from './say.ts';
import { VERSION } from './version.ts';
import { backoffMs, wait } from './wait.ts';

/** Signs bytes by the Ed25519 key of a service, wherever that is kept. */
export interface StatementSigner {
  /** The 32 bytes of RFC 8032. */
  readonly publicKey: Buffer;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** A new key of a service: PKCS #8 in PEM. */
export function newStatementKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** A signer that holds a key in PEM (PKCS #8). Throws TypeError, which repeats nothing of it. */
export function statementSigner(pem: string): StatementSigner {
  const key = privateKeyOf(pem);
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: Buffer.from(x, 'base64url'),
    sign: async (message) => sign(null, message, key),
  };
}

function privateKeyOf(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The library's own message does not belong into a log.
  }
  throw new TypeError('no Ed25519 key in PEM (PKCS #8)');
}

/** Who signs, as statements name it. */
export interface Speaker {
  readonly service: string;
  readonly worker: WorkerId;
  readonly log: Pick<Log, 'warn' | 'error'>;
  readonly signer?: StatementSigner | undefined;
}

/**
 * Says what was done, under the signature of who says it. A ledger that does not take the
 * signature, or wants one where there is no key, has not answered for good: it is said again until
 * somebody has put the key on record, or the process is to end. Throws Never where it cannot be
 * said at all; `unsignable` where no key would help, since nobody knows what caused it.
 */
export async function sayStated(
  speaker: Speaker & { readonly say: SayNow; readonly stopping: AbortSignal },
  saying: Saying,
  signal: AbortSignal,
): Promise<SayReply> {
  const said = await stated(speaker, saying, signal);
  for (let attempt = 1; ; attempt++) {
    const reply = await speaker.say(said, signal);
    const isUnsigned = said.contract.signs !== undefined && !reply.ok && reply.refusal === UNSIGNED;
    if (!isUnsigned) return reply;
    if (said.causeHash === undefined) throw new Never(UNSIGNABLE, reply.because);
    if (Number.isInteger(Math.log2(attempt))) {
      const { id, contract } = said;
      const fields = { type: contract.type, id, attempt, because: reply.because };
      speaker.log.error('not taken as it is signed', { ...fields, advice: ADVICE });
    }
    await wait(backoffMs(attempt), speaker.stopping);
    speaker.stopping.throwIfAborted();
  }
}

/** What the ledger answers to what its speaker has not signed by a key on record. */
const UNSIGNED = 'forbidden';
/** The code of what an earlier release has kept without the hash of its cause. */
export const UNSIGNABLE = 'unsignable';
export const ADVICE = 'docs/deployment.md, "Who signs evidence"';

/**
 * What is to be said because of an entry, under the signature of who says it, where its contract
 * wants one and there is a key. A signer that fails is asked again until the signal aborts: what
 * was done to a target is not dropped because of it. Throws Never where the data has no bytes.
 */
export async function stated(
  speaker: Speaker,
  saying: Saying,
  signal: AbortSignal,
): Promise<Saying> {
  const { signer } = speaker;
  const { contract, causeId, causeHash } = saying;
  if (signer === undefined || contract.signs === undefined) return saying;
  if (causeId === undefined || causeHash === undefined) return saying;
  // What fits no contract is refused where it is said.
  const checked = contract.shape.safeParse(saying.data);
  if (!checked.success) return saying;
  const data: Record<string, unknown> = checked.data;
  const sha256 = hash('sha256', bytesOf(contract.type, data), 'hex');
  const subjects = [{ name: DATA_SUBJECT, sha256 }, ...contract.signs(data)];
  const text = statementText(
    subjects,
    predicateOf(speaker, saying, { id: causeId, entryHash: causeHash }),
  );
  const signature = await signedUntil(signer, { text, speaker }, signal);
  const statement: Statement = {
    payloadType: PAYLOAD_TYPE,
    payload: Buffer.from(text, 'utf8').toString('base64'),
    signatures: [
      {
        keyid: hash('sha256', signer.publicKey, 'hex'),
        sig: Buffer.from(signature).toString('base64'),
      },
    ],
  };
  return { ...saying, data: { ...data, statement } };
}

function bytesOf(type: string, data: Record<string, unknown>): string {
  try {
    return statedText(data);
  } catch (cause) {
    throw new Never('unsayable', `${type}: ${messageOf(cause)}`, { cause });
  }
}

function predicateOf(
  { service, worker }: Speaker,
  { contract, id, acquisitionId, tenant, data }: Saying,
  cause: { readonly id: string; readonly entryHash: string },
): Predicate {
  const { epoch } = data as { readonly epoch?: number };
  return {
    event: { id, type: contract.type, acquisitionId, tenant },
    ...(epoch === undefined ? {} : { epoch }),
    cause,
    by: { service, worker, version: VERSION },
  } as Predicate;
}

async function signedUntil(
  signer: StatementSigner,
  { text, speaker }: { readonly text: string; readonly speaker: Speaker },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = Buffer.from(preAuthText(text), 'utf8');
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await signer.sign(bytes);
    } catch (error) {
      speaker.log.warn('statement not signed yet', { attempt, because: messageOf(error) });
      await wait(backoffMs(attempt), signal);
    }
  }
}
