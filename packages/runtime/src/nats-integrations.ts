// SPDX-License-Identifier: Apache-2.0
import { GatewaySubmitV1 } from '@impound/contracts/ask/gateway.submit.v1.ts';
import { nounVerb } from '@impound/contracts/event.ts';
import { EVENTS } from '@impound/contracts/events.ts';
import type { Integration } from '@impound/contracts/integration.ts';
import { outsideSubject } from '@impound/contracts/question.ts';
import { millisecondsOf } from '@impound/contracts/time.ts';
import { isUserKey } from './bus-keys.ts';

/** What an integration calls the door in its own account, and below what it hears how it ended. */
const ACQUIRE = 'acquire';
const ENDED = 'ended';

const ENDS = EVENTS.filter(({ ends }) => ends === true).map(({ type }) => nounVerb(type));

/** What the platform's account lends to those of integrations: its door, and how it all ended. */
export function exportsConfig(): string {
  const streams = ENDS.map((words) => `      { stream: "${ended(words, '*')}" }`);
  const door = outsideSubject(GatewaySubmitV1.name, '*', '*');
  return [`      { service: "${door}" }`, ...streams].join('\n');
}

function ended(words: readonly [string, string], tenant: string): string {
  return ['impound.v1.event', ...words, '_', tenant, '*'].join('.');
}

/**
 * One account for each integration that comes over NATS. It has no JetStream and sees nothing but
 * its own subjects; the server, not the sender, writes tenant and integration into what it asks.
 * A key that is none, or that another one has, is left out: the server would refuse all the rest.
 */
export function integrationsConfig(integrations: readonly Integration[], nowMs: number): string {
  const taken = new Set<string>();
  const free = (key: string) => {
    const known = taken.has(key);
    taken.add(key);
    return !known && isUserKey(key);
  };
  return integrations
    .map((one) => {
      const marked = keysOf(one, nowMs).map((key) => ({ key, good: free(key) }));
      const left = marked
        .filter(({ good }) => !good)
        .map(({ key }) => `  # ${one.id}: ${key} is no user NKey, or another one’s\n`);
      const keys = marked.filter(({ good }) => good).map(({ key }) => key);
      return left.join('') + (keys.length === 0 ? '' : accountOf(one, keys));
    })
    .join('');
}

function keysOf({ revokedAt, credentials }: Integration, nowMs: number): readonly string[] {
  const over = (time: string | undefined) => time !== undefined && millisecondsOf(time) <= nowMs;
  if (over(revokedAt)) return [];
  return credentials.flatMap((credential) =>
    credential.kind === 'nats' && !over(credential.notAfter) ? (credential.user ?? []) : [],
  );
}

function accountOf({ id, tenant }: Integration, keys: readonly string[]): string {
  const users = keys.map(
    (key) => `      { nkey: ${key}, permissions: {
        publish: { allow: ["${ACQUIRE}"] }, subscribe: { allow: ["_INBOX.>", "${ENDED}.>"] } } }`,
  );
  const door = outsideSubject(GatewaySubmitV1.name, tenant, id);
  const streams = ENDS.map((words) => {
    const to = [ENDED, ...words, '$1'].join('.');
    return `      { stream: { account: IMPOUND, subject: "${ended(words, tenant)}" }, to: "${to}" }`;
  });
  return `  "${accountName(id)}" {
    users: [
${users.join('\n')}
    ]
    imports: [
      { service: { account: IMPOUND, subject: "${door}" }, to: "${ACQUIRE}", share: true }
${streams.join('\n')}
    ]
  }
`;
}

/** The account of an integration that comes over NATS. */
export function accountName(integration: string): string {
  return `INTEGRATION-${integration}`;
}
