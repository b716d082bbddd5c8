// SPDX-License-Identifier: Apache-2.0
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { Never } from '@impound/runtime/fault.ts';
import { openHttpServer } from '@impound/runtime/http-server.ts';
import type { Log } from '@impound/runtime/log.ts';
import { type NoteSigner, noteSigner } from '@impound/transparency/note.ts';
import { KEY_TYPES, parseVkey, rawPublicKey, type Vkey, vkey } from '@impound/transparency/vkey.ts';
import type { Config } from './config.ts';
import { cosigning } from './cosigning.ts';
import { listener } from './listener.ts';
import { openStateFile } from './state-file.ts';

const REQUEST_MS_MAX = 10_000;

/** A witness that runs. */
export interface Witness {
  readonly port: number;
  /** By which its cosignatures are known: what a policy names. */
  readonly vkey: Vkey;
}

/** Opens a witness until the scope ends. Throws Never where keys, logs or state do not fit. */
export async function openWitness(
  config: Config,
  log: Log,
  scope: AsyncDisposableStack,
): Promise<Witness> {
  const signer = signerOf(config);
  const logs = logsIn(config.LOGS);
  const state = await openStateFile(config.STATE_FILE);
  const origins = new Map(logs.map(({ name }) => [sha256(name), name]));
  const now = () => Math.floor(Date.now() / 1_000);
  const witnessing = {
    addCheckpoint: cosigning({ logs, signer, state, now }),
    checkpoint: (hash: string) => state.of(origins.get(hash) ?? '')?.note,
  };
  const { HOST: host, PORT, TLS_CERT, TLS_KEY } = config;
  if ((TLS_CERT === undefined) !== (TLS_KEY === undefined)) {
    throw new Never('tls-halved', 'TLS_CERT and TLS_KEY go together');
  }
  const tls = TLS_CERT && TLS_KEY && { cert: Buffer.from(TLS_CERT), key: TLS_KEY.reveal() };
  const door = { service: 'witness', host, port: PORT, requestMsMax: REQUEST_MS_MAX };
  const { port } = await openHttpServer(
    tls ? { ...door, tls: { cert: tls.cert, key: Buffer.from(tls.key) } } : door,
    listener(witnessing, log),
    scope,
  );
  return { port, vkey: signer.vkey };
}

/** The signer of a witness, from its name and key. */
export function signerOf(config: Pick<Config, 'WITNESS_NAME' | 'WITNESS_KEY'>): NoteSigner {
  const key = privateKey(config.WITNESS_KEY.reveal());
  return noteSigner(vkey(config.WITNESS_NAME, KEY_TYPES.cosignature, rawPublicKey(key)), key);
}

function privateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause could quote the key.
    throw new Never('key-malformed', 'WITNESS_KEY is no private key in PEM');
  }
}

function logsIn(text: string): Vkey[] {
  const lines = text.split('\n').map((line) => line.trim());
  const logs = lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseVkey);
  if (logs.length === 0 || logs.some(({ type }) => type !== KEY_TYPES.note)) {
    throw new Never('logs-malformed', 'LOGS wants verifier keys of logs, one a line');
  }
  return logs;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
