// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import { ConfigFault } from '@impound/runtime/config.ts';
import { type HttpServer, openHttpServer, type Tls } from '@impound/runtime/http-server.ts';
import type { House } from '@impound/runtime/service.ts';
import { Refusal } from '../domain/problem.ts';
import { takeSender } from './http-address.ts';
import type { Known } from './http-known.ts';
import { answerBroken, answerRefusal } from './http-problem.ts';
import type { App } from './http-server.ts';
import { answerFull, type Hands, openTurns } from './http-turns.ts';
import { markOf, reread } from './reread.ts';

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
  return refuseUnfit({
    cert: await read(cert),
    key: await read(key),
    ...(clientCa === undefined ? {} : { ca: await read(clientCa), requestCert: true }),
    ...(crl === undefined ? {} : { crl: await read(crl) }),
  });
}

/** What the library says of it repeats nothing of the files either. */
function refuseUnfit(tls: Tls): Tls {
  try {
    createSecureContext(tls);
    // Of a CA that is none the library says nothing: it would vouch for nobody.
    if (tls.ca !== undefined) new X509Certificate(tls.ca);
    return tls;
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new ConfigFault(`the certificate, its key, the CA or the CRL is no good: ${code}`);
  }
}

async function read(file: string): Promise<Buffer> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigFault(`${file} cannot be read: ${error.code}`);
  });
}

/** The door's TLS, which follows its files while the door is open. */
export interface Front {
  readonly url: string;
  /** Why the files are not used as they are now; undefined where all is well. */
  fault(): string | undefined;
}

/** Opens the door, and shows its files anew whenever they are others. Throws ConfigFault. */
export async function openFront(
  of: {
    readonly app: App;
    readonly hands: Hands;
    readonly known: Known;
    readonly at: { readonly host: string; readonly port: number };
    readonly files: TlsFiles;
    /** Called when who came before by a certificate has to show it again. */
    readonly renewed: () => void;
  },
  { log, stopping }: Pick<House, 'log' | 'stopping'>,
  scope: AsyncDisposableStack,
): Promise<Front> {
  const { at, files, renewed } = of;
  const listening = Promise.withResolvers<HttpServer>();
  const names = Object.values(files).filter((file) => file !== undefined);
  const take = async (tls: Tls | undefined) => {
    if (tls === undefined) return;
    (await listening.promise).renew(tls);
    renewed();
  };
  const source = { what: 'tls', mark: () => markOf(names), read: () => readTls(files), take };
  const { current, fault } = await reread(source, log, stopping);
  const tls = current();
  const server = await listen(of, { ...at, tls }, scope);
  listening.resolve(server);
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  const url = `${tls === undefined ? 'http' : 'https'}://${host}:${server.port}`;
  log.info('gateway listening', { port: server.port, url });
  return { url, fault };
}

/** Listens until the scope ends. */
async function listen(
  of: { readonly app: App; readonly hands: Hands; readonly known: Known },
  at: { readonly host: string; readonly port: number; readonly tls?: Tls | undefined },
  scope: AsyncDisposableStack,
): Promise<HttpServer> {
  const refused = new Refusal('request-refused', 'the request line or the Host header is no good');
  const listener = getRequestListener(of.app.fetch as never, {
    overrideGlobalObjects: false,
    errorHandler: () => answerRefusal(refused),
  });
  const turns = openTurns((incoming, outgoing) => void listener(incoming, outgoing), of);
  const answers = { broken: answerBroken, full: answerFull, came: turns.came };
  return await openHttpServer(
    { ...at, ...answers, requestMsMax: REQUEST_MS_MAX, service: 'gateway' },
    (incoming, outgoing) => {
      takeSender(incoming);
      turns.listener(incoming, outgoing);
    },
    scope,
  );
}
