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
  'allow-exec-plugins': { type: 'boolean' },
  deadline: { type: 'string' },
  data: { type: 'string' },
  url: { type: 'string' },
  'token-file': { type: 'string' },
  port: { type: 'string' },
  purpose: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsConfig['options'];

type Name = keyof typeof OPTIONS;

/** What a command line says. */
export interface Arguments {
  readonly command: string;
  readonly positionals: readonly string[];
  text(name: Name): string | undefined;
  list(name: Name): readonly string[];
  flag(name: Name): boolean;
  /** The text, or Exit(usage) that names what is missing. */
  needed(name: Name): string;
}

/** Reads a command line. Throws Exit(usage) for what it does not know. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parsed(argv);
  const [command = 'help', ...rest] = positionals;
  const get = (name: Name) => (values as Record<string, unknown>)[name];
  const text = (name: Name) => {
    const value = get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    command: get('help') === true ? 'help' : command,
    positionals: rest,
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

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Exit(EXIT.usage, `${message}; see impound help`, { cause });
  }
}
