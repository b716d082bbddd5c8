// SPDX-License-Identifier: Apache-2.0
import { Integration } from '@impound/contracts/integration.ts';
import { Label } from '@impound/contracts/target.ts';
import { millisecondsOf, timeOf } from '@impound/contracts/time.ts';
import { dataDirOf } from '../access.ts';
import type { Arguments, OptionName } from '../arguments.ts';
import type { Here } from '../command.ts';
import {
  AUTH,
  type Auth,
  authOf,
  freeName,
  type Made,
  makeCredential,
  webhookSecret,
} from '../credential.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { changeIntegration, integrationsFile, readIntegrations } from '../integrations.ts';

type Verb = (here: Here, file: string, id: string) => Promise<number>;

const VERBS: Readonly<Record<string, Verb>> = { add, list, show, rotate, revoke };
const OVERLAP_SECONDS = 86_400;
const OVERLAP_SECONDS_MAX = 30 * 86_400;

/** Adds, lists, shows, rotates and revokes who may come in; a running gateway takes it up. */
export async function integration(here: Here): Promise<number> {
  const [verb = '', id, ...more] = here.args.positionals;
  const act = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (act === undefined || more.length > 0 || (id === undefined) !== (verb === 'list')) {
    const message = 'integration add|show|rotate|revoke ID, or integration list';
    throw new Exit(EXIT.usage, `${message}; see impound help`);
  }
  const file = here.args.text('integrations') ?? integrationsFile(dataDirOf(here));
  return await act(here, file, id ?? '');
}

async function add(here: Here, file: string, id: string): Promise<number> {
  const { args } = here;
  refuseNames(args);
  const made = await makeCredential(authAsked(args), 'key-1', args);
  const callbackSecret = args.text('callback') === undefined ? undefined : webhookSecret();
  const wanted = Integration.safeParse(wishOf(id, args, { made, callbackSecret }));
  if (!wanted.success) {
    const [first] = wanted.error.issues;
    throw new Exit(EXIT.usage, `${first?.path.join('.')}: ${first?.message}`);
  }
  await changeIntegration(file, {
    id,
    what: 'added',
    credential: 'key-1',
    apply: (known) => {
      if (known === undefined) return wanted.data;
      const why =
        known.revokedAt === undefined ? 'there is one' : 'it was revoked, and stays taken';
      throw new Exit(EXIT.usage, `integration ${id}: ${why}; take another id, or rotate it`);
    },
  });
  tellSecrets(here, { id, what: 'added', made, callbackSecret });
  return EXIT.ok;
}

/** A name that can never fit is a mistake that would only show as a refusal in an emergency. */
function refuseNames(args: Arguments): void {
  for (const name of ['allow-cluster', 'allow-namespace'] as const) {
    const given = args.list(name);
    if (given.length === 0) throw new Exit(EXIT.usage, `--${name} is needed; * stands for all`);
    const bad = given.find((one) => one !== '*' && !isName(name, one));
    if (bad === undefined) continue;
    const message = 'no such name can be; names are whole, and * alone stands for all';
    throw new Exit(EXIT.usage, `--${name} ${bad}: ${message}`);
  }
}

function isName(option: 'allow-cluster' | 'allow-namespace', name: string): boolean {
  return option === 'allow-namespace' ? Label.safeParse(name).success : !name.includes('*');
}

function authAsked(args: Arguments): Auth {
  const asked = args.text('auth') ?? 'token';
  const auth = AUTH.find((one) => one === asked);
  if (auth !== undefined) return auth;
  throw new Exit(EXIT.usage, `--auth ${asked}: one of ${AUTH.join(', ')}`);
}

interface Secrets {
  readonly made?: Made | undefined;
  readonly callbackSecret?: string | undefined;
}

/** What the command line says, as the file writes it; the schema judges it. */
function wishOf(id: string, args: Arguments, { made, callbackSecret }: Secrets): object {
  const many = (name: OptionName) => (args.list(name).length > 0 ? args.list(name) : undefined);
  return given({
    id,
    kind: args.flag('person') ? 'person' : 'integration',
    tenant: args.text('tenant') ?? 'default',
    about: args.text('about'),
    credentials: [made?.credential],
    clusters: many('allow-cluster'),
    namespaces: many('allow-namespace'),
    methods: many('allow-method'),
    profiles: many('allow-profile'),
    budget: given({ bytesMax: number(args, 'bytes-max'), secondsMax: number(args, 'seconds-max') }),
    limits: given({
      openMax: number(args, 'open-max'),
      requestsPerSecond: number(args, 'requests-per-second'),
      ordersPerHour: number(args, 'orders-per-hour'),
    }),
    approval: args.flag('no-approval') ? 'never' : 'always',
    mayApprove: args.flag('may-approve'),
    mayReadEvidence: args.flag('may-read-evidence'),
    mayInspect: args.flag('may-inspect'),
    mayAudit: args.flag('may-audit'),
    mayAuditAllTenants: args.flag('may-audit-all-tenants'),
    callback: callbackSecret && { url: args.text('callback'), secrets: [callbackSecret] },
  });
}

function given(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function number(args: Arguments, name: OptionName): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Exit(EXIT.usage, `--${name} ${text}: a whole number`);
}

function tellSecrets(
  { printer }: Here,
  told: Secrets & { readonly id: string; readonly what: string },
): void {
  const { id, what, made, callbackSecret } = told;
  const credential = made?.credential.id;
  printer.value('integration', { id, what, credential, secret: made?.secret, callbackSecret });
  printer.line(`integration ${id} ${what}${credential ? `, credential ${credential}` : ''}`);
  if (made?.secret) printer.line(`  secret           ${made.secret}`);
  if (callbackSecret) printer.line(`  callbacks signed with ${callbackSecret}`);
  if (made?.secret || callbackSecret) printer.line('  shown once: give it to the sender now');
}

async function list({ printer }: Here, file: string): Promise<number> {
  const { integrations } = await readIntegrations(file);
  if (integrations.length === 0) printer.line('no integrations');
  for (const one of integrations) {
    const { id, kind, tenant, approval, revokedAt } = one;
    const auth = revokedAt ? ['revoked'] : one.credentials.map(authOf);
    printer.value('integration', { id, kind, tenant, approval, auth, revokedAt });
    const words = [id.padEnd(20), kind.padEnd(12), tenant.padEnd(12), [...new Set(auth)].join(' ')];
    printer.line(words.join(' '));
  }
  return EXIT.ok;
}

async function show({ printer }: Here, file: string, id: string): Promise<number> {
  const { integrations, changes } = await readIntegrations(file);
  const found = knownAs(
    id,
    integrations.find((one) => one.id === id),
  );
  const { callback, credentials, ...rest } = found;
  const shown = {
    ...rest,
    credentials: credentials.map((one) => (one.kind === 'hmac' ? hidden(one) : one)),
    ...(callback === undefined ? {} : { callback: { url: callback.url, on: callback.on } }),
    changes: changes.filter((one) => one.id === id),
  };
  printer.value('integration', shown);
  for (const line of JSON.stringify(shown, null, 2).split('\n')) printer.line(line);
  return EXIT.ok;
}

function hidden<T extends { secret: string }>({ secret: _, ...rest }: T): Omit<T, 'secret'> {
  return rest;
}

function knownAs(id: string, found: Integration | undefined): Integration {
  if (found !== undefined) return found;
  throw new Exit(EXIT.usage, `there is no integration ${id}; impound integration list shows them`);
}

const CALLBACK = 'callback';

/** The old credential stays valid for an overlap, so that the sender can be changed meanwhile. */
async function rotate(here: Here, file: string, id: string): Promise<number> {
  const { args } = here;
  const before = knownAs(
    id,
    (await readIntegrations(file)).integrations.find((one) => one.id === id),
  );
  if (args.text('credential') === CALLBACK) return await rotateCallback(here, file, before);
  const old = credentialOf(before, args);
  const name = freeName(before.credentials);
  const auth = args.text('auth') === undefined && old ? authOf(old) : authAsked(args);
  const made = await makeCredential(auth, name, args);
  const nowMs = Date.now();
  const notAfter = timeOf(nowMs + overlapMs(args));
  await changeIntegration(file, {
    id,
    what: 'rotated',
    credential: name,
    apply: (now) => {
      const { revokedAt: _, ...known } = knownAs(id, now);
      const kept = known.credentials
        .filter((one) => one.notAfter === undefined || millisecondsOf(one.notAfter) > nowMs)
        .map((one) => (one.id === old?.id ? { ...one, notAfter } : one));
      return { ...known, credentials: [...kept, made.credential] };
    },
  });
  tellSecrets(here, { id, what: 'rotated', made });
  if (old) here.printer.line(`  ${old.id} is known until ${notAfter}`);
  return EXIT.ok;
}

/** From now on both secrets sign, the new one first; the next rotation drops the older one. */
async function rotateCallback(here: Here, file: string, { id }: Integration): Promise<number> {
  const callbackSecret = webhookSecret();
  await changeIntegration(file, {
    id,
    what: 'rotated',
    credential: CALLBACK,
    apply: (now) => {
      const known = knownAs(id, now);
      if (known.callback === undefined) throw new Exit(EXIT.usage, `${id} has no callback`);
      const [newest = ''] = known.callback.secrets;
      return { ...known, callback: { ...known.callback, secrets: [callbackSecret, newest] } };
    },
  });
  tellSecrets(here, { id, what: 'rotated', callbackSecret });
  return EXIT.ok;
}

function credentialOf({ id, credentials }: Integration, args: Arguments) {
  const name = args.text('credential');
  if (name === undefined) return credentials.findLast((one) => one.notAfter === undefined);
  const found = credentials.find((one) => one.id === name);
  if (found !== undefined) return found;
  throw new Exit(EXIT.usage, `${id} has no credential ${name}; impound integration show ${id}`);
}

function overlapMs(args: Arguments): number {
  const seconds = number(args, 'overlap') ?? OVERLAP_SECONDS;
  if (seconds <= OVERLAP_SECONDS_MAX) return seconds * 1_000;
  throw new Exit(EXIT.usage, `--overlap ${seconds}: at most ${OVERLAP_SECONDS_MAX} seconds`);
}

async function revoke(here: Here, file: string, id: string): Promise<number> {
  const name = here.args.text('credential');
  await changeIntegration(file, {
    id,
    what: 'revoked',
    credential: name,
    apply: (now) => {
      const known = knownAs(id, now);
      if (name === undefined) return { ...known, credentials: [], revokedAt: timeOf(Date.now()) };
      const gone = credentialOf(known, here.args);
      return { ...known, credentials: known.credentials.filter((one) => one !== gone) };
    },
  });
  here.printer.value('integration', { id, what: 'revoked', credential: name });
  here.printer.line(`${name === undefined ? `integration ${id}` : `${id}: ${name}`} revoked`);
  return EXIT.ok;
}
