// SPDX-License-Identifier: Apache-2.0
import type { Actor } from '@impound/contracts/actor.ts';
import type { Tenant } from '@impound/contracts/ids.ts';
import type { Credential, Integration } from '@impound/contracts/integration.ts';

/** Who asks, and what it may. */
export interface Caller {
  readonly actor: Actor;
  readonly tenant: Tenant;
  readonly integration: Integration;
}

/** Somebody who has shown a credential, before anything is decided. */
export interface Admitted {
  readonly caller: Caller;
  /** The sender's own id of the message, which a repeat and a replay have again. */
  readonly messageId?: string | undefined;
}

/** The caller that a credential stands for. */
export function callerOf(
  integration: Integration,
  credential: Credential,
  authn: Actor['authn'],
): Caller {
  const { id, kind, tenant } = integration;
  return { actor: { id, kind, authn, credential: credential.id }, tenant, integration };
}

/**
 * A name as single sign-on may write it, in the spelling of an id: without its domain, capitals,
 * blanks, and what is not seen.
 */
export function personIn(name: string): string {
  const plain = name.normalize('NFKC').toLowerCase();
  const bare = plain.replaceAll(/[\p{Cf}\p{Z}\p{Cc}]/gu, '');
  return bare.replace(/^[^\\]*\\/, '').replace(/@.*$/s, '');
}

/** A signature covers neither path nor method, and a URL lands in foreign logs: orders only. */
export function submitsOnly({ actor }: Caller): boolean {
  return actor.authn === 'webhook' || actor.authn === 'url-token';
}
