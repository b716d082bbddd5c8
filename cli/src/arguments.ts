// SPDX-License-Identifier: Apache-2.0
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { EXIT, Exit } from './exit-code.ts';

/** The options of all commands: one meaning each, whatever the command. */
const OPTIONS = {
  case: { type: 'string' },
  reason: { type: 'string' },
  profile: { type: 'string' },
  method: { type: 'string', multiple: true },
  path: { type: 'string', multiple: true },
  out: { type: 'string' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  cluster: { type: 'string' },
  reader: { type: 'string' },
  selector: { type: 'string' },
  'allow-exec-plugins': { type: 'boolean' },
  'ephemeral-image': { type: 'string' },
  deadline: { type: 'string' },
  'idempotency-key': { type: 'string' },
  data: { type: 'string' },
  env: { type: 'string', multiple: true },
  url: { type: 'string' },
  'token-file': { type: 'string' },
  port: { type: 'string' },
  purpose: { type: 'string' },
  acquisition: { type: 'string' },
  actor: { type: 'string' },
  type: { type: 'string' },
  target: { type: 'string' },
  since: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  claimed: { type: 'boolean' },
  event: { type: 'string' },
  index: { type: 'string' },
  seal: { type: 'boolean' },
  integrations: { type: 'string' },
  auth: { type: 'string' },
  certificate: { type: 'string' },
  subject: { type: 'string' },
  held: { type: 'string' },
  origin: { type: 'string' },
  role: { type: 'string' },
  'nats-account': { type: 'string' },
  'nats-user': { type: 'string' },
  credential: { type: 'string' },
  overlap: { type: 'string' },
  tenant: { type: 'string' },
  about: { type: 'string' },
  person: { type: 'boolean' },
  'allow-cluster': { type: 'string', multiple: true },
  'allow-namespace': { type: 'string', multiple: true },
  'allow-method': { type: 'string', multiple: true },
  'allow-profile': { type: 'string', multiple: true },
  'bytes-max': { type: 'string' },
  'seconds-max': { type: 'string' },
  'open-max': { type: 'string' },
  'requests-per-second': { type: 'string' },
  'orders-per-hour': { type: 'string' },
  'no-approval': { type: 'boolean' },
  'may-approve': { type: 'boolean' },
  'may-read-evidence': { type: 'boolean' },
  'may-inspect': { type: 'boolean' },
  'may-audit': { type: 'boolean' },
  'may-audit-all-tenants': { type: 'boolean' },
  callback: { type: 'string' },
  rotate: { type: 'string' },
  finish: { type: 'boolean' },
  vkey: { type: 'string' },
  policy: { type: 'string' },
  known: { type: 'string', multiple: true },
  'cosigned-since': { type: 'string' },
  head: { type: 'string' },
  mirror: { type: 'string' },
  submitter: { type: 'string' },
  tsa: { type: 'string' },
  signers: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

/** An option by its name, without the dashes. */
export type OptionName = keyof typeof OPTIONS;

const CLUSTER = ['kubeconfig', 'context', 'allow-exec-plugins'] as const;
const PLATFORM = ['data', 'url', 'token-file'] as const;
const ORDER = ['case', 'reason', 'profile', 'method', 'path', 'deadline'] as const;

const CREDENTIAL = ['auth', 'certificate', 'subject', 'nats-account', 'nats-user'] as const;
const ALLOWED = ['allow-cluster', 'allow-namespace', 'allow-method', 'allow-profile'] as const;
const BOUNDS = [
  'bytes-max',
  'seconds-max',
  'open-max',
  'requests-per-second',
  'orders-per-hour',
] as const;
const GRANTS = [
  ...(['no-approval', 'may-approve', 'may-read-evidence', 'may-audit'] as const),
  ...(['may-inspect', 'may-audit-all-tenants'] as const),
] as const;
const FILTER = ['case', 'acquisition', 'actor', 'type', 'target', 'from', 'to', 'claimed'] as const;
const ABOUT = ['tenant', 'about', 'person', 'callback', ...ALLOWED, ...BOUNDS, ...GRANTS] as const;
const TRUST = ['vkey', 'policy', 'submitter', 'tsa'] as const;
const INTEGRATIONS = ['data', 'integrations'] as const;

/** What each command takes; --json and --help go with all. */
const TAKES: Readonly<Record<string, readonly OptionName[]>> = {
  init: ['cluster', 'kubeconfig', 'context', 'reader'],
  up: ['data', 'port', 'cluster', 'ephemeral-image', ...CLUSTER],
  acquire: [...ORDER, 'out', 'idempotency-key', 'ephemeral-image', ...CLUSTER, ...PLATFORM],
  targets: ['selector', ...CLUSTER, ...PLATFORM],
  list: ['case', ...PLATFORM],
  watch: PLATFORM,
  show: PLATFORM,
  approve: ['reason', ...PLATFORM],
  refuse: ['reason', ...PLATFORM],
  cancel: ['reason', ...PLATFORM],
  callbacks: ['reason', ...PLATFORM],
  inspect: ['since', 'reason', ...PLATFORM],
  strays: PLATFORM,
  export: ['out', 'purpose', ...PLATFORM],
  verify: [...TRUST, 'signers', 'known', 'cosigned-since', 'head', 'mirror'],
  audit: [...FILTER, 'purpose', 'out', ...PLATFORM],
  ledger: [
    'vkey',
    'policy',
    'tsa',
    'known',
    'mirror',
    'role',
    'held',
    'origin',
    'actor',
    'reason',
    'out',
  ],
  report: ['out'],
  proof: ['event', 'index', 'seal', 'known', 'out', ...PLATFORM],
  integration: [...INTEGRATIONS, ...CREDENTIAL, ...ABOUT, 'credential', 'overlap'],
  keys: ['rotate', 'finish', 'integrations'],
  signers: ['rotate', 'finish'],
  doctor: ['data', 'env'],
  help: [],
};

/** What a command line says. */
export interface Arguments {
  readonly command: string;
  readonly positionals: readonly string[];
  text(name: OptionName): string | undefined;
  list(name: OptionName): readonly string[];
  flag(name: OptionName): boolean;
  /** The text, or Exit(usage) that names what is missing. */
  needed(name: OptionName): string;
}

/** Reads a command line. Throws Exit(usage) for what it does not know or the command ignores. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parsed(argv);
  const [first = 'help', ...rest] = positionals;
  const get = (name: OptionName) => (values as Record<string, unknown>)[name];
  const text = (name: OptionName) => {
    const value = get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const command = get('help') === true ? 'help' : first;
  if (command === first) refuseOthers(command, Object.keys(values));
  return {
    command,
    positionals: command === first ? rest : [],
    text,
    list: (name) => (get(name) as string[] | undefined) ?? [],
    flag: (name) => get(name) === true,
    needed: (name) => {
      const value = text(name);
      if (value === undefined) throw new Exit(EXIT.usage, `--${name} is needed; see impound help`);
      return value;
    },
  };
}

function refuseOthers(command: string, given: readonly string[]): void {
  const takes = Object.hasOwn(TAKES, command) ? TAKES[command] : undefined;
  if (takes === undefined) {
    throw new Exit(EXIT.usage, `there is no command ${command}; see impound help`);
  }
  const known: readonly string[] = ['json', 'help', ...takes];
  const [other] = given.filter((name) => !known.includes(name));
  if (other === undefined) return;
  throw new Exit(EXIT.usage, `${command} takes no --${other}; see impound help`);
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const [sentence = ''] = message.split(/\.\s/);
    throw new Exit(EXIT.usage, `${sentence.replace(/\.$/, '')}; see impound help`, { cause });
  }
}
