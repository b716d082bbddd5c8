// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { getRequestListener } from '@hono/node-server';
import { ConfigFault } from '@impound/runtime/config.ts';
import { openHttpServer, type Tls } from '@impound/runtime/http-server.ts';
import { Refusal } from '../domain/problem.ts';
import { takeSender } from './http-address.ts';
import { answerBroken, answerRefusal } from './http-problem.ts';
import type { App } from './http-server.ts';

const REQUEST_MS_MAX = 30_000;

/** The files of the door's own TLS; without certificate and key it speaks plain HTTP. */
export interface TlsFiles {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Who vouches for client certificates; absent: none are asked for. */
  readonly clientCa?: string | undefined;
  readonly crl?: string | undefined;
}

/** Reads the files of the door's TLS. Throws ConfigFault, which repeats nothing of them. */
export async function readTls(files: TlsFiles): Promise<Tls | undefined> {
  const { cert, key, clientCa, crl } = files;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigFault('give GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE, or neither');
  }
  if (cert === undefined || key === undefined) {
    if (clientCa === undefined && crl === undefined) return undefined;
    throw new ConfigFault('client certificates need GATEWAY_TLS_CERT_FILE: TLS must end here');
  }
  if (crl !== undefined && clientCa === undefined) {
    throw new ConfigFault('GATEWAY_TLS_CRL_FILE needs GATEWAY_TLS_CLIENT_CA_FILE');
  }
  return {
    cert: await read(cert),
    key: await read(key),
    ...(clientCa === undefined ? {} : { ca: await read(clientCa), requestCert: true }),
    ...(crl === undefined ? {} : { crl: await read(crl) }),
  };
}

async function read(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigFault(`${file} cannot be read: ${error.code}`);
  });
}

/** Listens until the scope ends; gives the port. */
export async function listen(
  app: App,
  at: { readonly host: string; readonly port: number; readonly tls?: Tls | undefined },
  scope: AsyncDisposableStack,
): Promise<number> {
  const refused = new Refusal('request-refused', 'the request line or the Host header is no good');
  const listener = getRequestListener(app.fetch as never, {
    overrideGlobalObjects: false,
    errorHandler: () => answerRefusal(refused),
  });
  return await openHttpServer(
    { ...at, requestMsMax: REQUEST_MS_MAX, broken: answerBroken, service: 'gateway' },
    (incoming, outgoing) => {
      takeSender(incoming);
      void listener(incoming, outgoing);
    },
    scope,
  ).catch((error: NodeJS.ErrnoException) => {
    if (at.tls === undefined || error.syscall === 'listen') throw error;
    throw new ConfigFault(`the certificate, its key or the CA is no good: ${error.code}`);
  });
}
