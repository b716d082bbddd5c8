// SPDX-License-Identifier: Apache-2.0
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Actor } from '@impound/contracts/actor.ts';
import type { Credential, Integration, Integrations } from '@impound/contracts/integration.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import { type Admitted, type Caller, callerOf } from '../domain/caller.ts';
import { Refusal } from '../domain/problem.ts';
import { rateOf } from '../domain/rate.ts';
import type { IntegrationsFile } from './integrations-file.ts';
import { isSigned, isTimely, type Signed, SKEW_SECONDS_MAX } from './webhook-signature.ts';

/** A client certificate as the handshake left it. */
export interface Certificate {
  /** Whether our CA vouches for it; otherwise `because` says why not. */
  readonly authorized: boolean;
  readonly because?: string | undefined;
  /** SHA-256 of the DER, lower-case hex. */
  readonly sha256: string;
  readonly subject: string;
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** Knows integrations by what they show, and how often each may come. All of it throws Refusal. */
export interface Doorkeeper {
  byToken(token: string, from: 'header' | 'url'): Promise<Admitted>;
  bySignature(of: {
    readonly integration: string;
    readonly signed: Signed;
    readonly body: Uint8Array;
  }): Promise<Admitted>;
  byCertificate(certificate: Certificate): Promise<Admitted>;
  /** By the public keys that the NATS server has put beside a request. */
  byNats(keys: { readonly account?: string; readonly user?: string }): Promise<Admitted>;
}

type Of<Kind extends Credential['kind']> = Extract<Credential, { kind: Kind }>;
interface Known {
  readonly integration: Integration;
  readonly credential: Credential;
}
interface Held<Kind extends Credential['kind']> {
  readonly integration: Integration;
  readonly credential: Of<Kind>;
}

const TOKEN_CHARACTERS_MAX = 512;
/** What may come at once, as a multiple of what may come each second. */
const BURST_SECONDS = 4;

export function openDoorkeeper(file: IntegrationsFile, now: () => number): Doorkeeper {
  const rate = rateOf();
  /** Those who may come in by one kind of credential now; what is over is not among them. */
  const held = async <Kind extends Credential['kind']>(kind: Kind) =>
    holders(await file.current(), kind, now());
  const admitted = (found: Known, authn: Actor['authn']): Caller => {
    const { id, limits } = found.integration;
    const perSecond = limits.requestsPerSecond;
    const limit = { burst: perSecond * BURST_SECONDS, perSecond };
    if (rate.take(id, limit, now())) return callerOf(found.integration, found.credential, authn);
    throw new Refusal('too-many', `at most ${perSecond} requests a second for ${id}`);
  };
  return {
    byToken: async (token, from) => {
      const digest = sha256(token.slice(0, TOKEN_CHARACTERS_MAX + 1));
      const among = (await held('token')).filter(
        ({ credential }) => from !== 'url' || credential.inUrl,
      );
      const found = oneWith(among, digest);
      if (found === undefined) throw refused('no integration is known by this token');
      return { caller: admitted(found, from === 'url' ? 'url-token' : 'bearer-token') };
    },
    bySignature: async ({ integration, signed, body }) => {
      refuseMessage(signed, now());
      const among = (await held('hmac')).filter((one) => one.integration.id === integration);
      const found = among.find(({ credential }) => isSigned(credential.secret, signed, body));
      if (found === undefined) throw refused('no integration has signed this');
      return { caller: admitted(found, 'webhook'), messageId: signed.id };
    },
    byCertificate: async (certificate) => {
      refuseCertificate(certificate, now());
      const { sha256: print, subject } = certificate;
      const among = await held('certificate');
      const found = among.find(({ credential }) =>
        credential.sha256 === undefined
          ? credential.subject === subject
          : credential.sha256 === print,
      );
      if (found === undefined) throw refused('no integration is known by this certificate');
      return { caller: admitted(found, 'mutual-tls') };
    },
    byNats: async (keys) => {
      const found = (await held('nats')).find(({ credential }) => isNats(credential, keys));
      if (found === undefined) throw refused('no integration is known by these NKeys');
      return { caller: admitted(found, 'nats') };
    },
  };
}

function holders<Kind extends Credential['kind']>(
  { integrations }: Integrations,
  kind: Kind,
  nowMs: number,
): readonly Held<Kind>[] {
  const over = (time: string | undefined) => time !== undefined && millisecondsOf(time) <= nowMs;
  return integrations.flatMap((integration) =>
    over(integration.revokedAt)
      ? []
      : integration.credentials.flatMap((credential) =>
          credential.kind === kind && !over(credential.notAfter)
            ? [{ integration, credential: credential as Of<Kind> }]
            : [],
        ),
  );
}

/** Compares digests, each with each: neither time nor memory tells how near a guess is. */
function oneWith(among: readonly Held<'token'>[], digest: string): Held<'token'> | undefined {
  const given = Buffer.from(digest, 'hex');
  let found: Held<'token'> | undefined;
  for (const one of among) {
    if (timingSafeEqual(Buffer.from(one.credential.sha256, 'hex'), given)) found = one;
  }
  return found;
}

const MESSAGE_ID = /^[\x21-\x7e]{1,240}$/;

function refuseMessage(signed: Signed, nowMs: number): void {
  if (!MESSAGE_ID.test(signed.id)) throw refused('webhook-id: 1 to 240 visible ASCII characters');
  if (isTimely(signed, nowMs)) return;
  const most = `${SKEW_SECONDS_MAX} seconds`;
  throw refused(`webhook-timestamp: seconds since 1970, at most ${most} from now: set the clock`);
}

function refuseCertificate(certificate: Certificate, nowMs: number): void {
  const { authorized, because, validFromMs, validToMs } = certificate;
  if (!authorized) throw refused(`the client certificate is not vouched for: ${because}`);
  // A connection or a session may outlive the certificate that it was begun with.
  if (nowMs < validFromMs || nowMs > validToMs) throw refused('the client certificate has expired');
}

function isNats(
  credential: Of<'nats'>,
  keys: { readonly account?: string; readonly user?: string },
): boolean {
  const fits = (wanted: string | undefined, given: string | undefined) =>
    wanted === undefined || wanted === given;
  return fits(credential.account, keys.account) && fits(credential.user, keys.user);
}

function refused(detail: string): Refusal {
  return new Refusal('token-refused', detail);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
