// SPDX-License-Identifier: Apache-2.0
import { readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { acquire } from './commands/acquire.ts';
import { exportCommand } from './commands/export.ts';
import { list, show, watch } from './commands/look.ts';
import { up } from './commands/up.ts';
import { verify } from './commands/verify.ts';
import { EXIT, Exit } from './exit-code.ts';
import { HELP } from './help.ts';
import { openPrinter } from './printer.ts';

const COMMANDS: Readonly<Record<string, Command>> = {
  up,
  acquire,
  list,
  watch,
  show,
  export: exportCommand,
  verify,
  help: async (here) => {
    process.stdout.write(HELP);
    return here.args.positionals.length === 0 ? EXIT.ok : EXIT.usage;
  },
};

async function main(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv);
  const command = COMMANDS[args.command];
  if (command === undefined) {
    throw new Exit(EXIT.usage, `there is no command ${args.command}; see impound help`);
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const printer = openPrinter(args.flag('json'), process.stdout, process.stderr);
  return await command({ args, printer, environment: process.env }, stop.signal);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`impound: ${message}\n`);
  process.exitCode = error instanceof Exit ? error.code : EXIT.failed;
}
