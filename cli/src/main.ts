// SPDX-License-Identifier: Apache-2.0
import { readArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { EXIT, Exit } from './exit-code.ts';
import { HELP } from './help.ts';
import { openPrinter, type Printer } from './printer.ts';

/** Each command is imported when it is called: looking at a bag needs no database driver. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./commands/init.ts')).init,
  up: async () => (await import('./commands/up.ts')).up,
  acquire: async () => (await import('./commands/acquire.ts')).acquire,
  targets: async () => (await import('./commands/targets.ts')).targets,
  list: async () => (await import('./commands/look.ts')).list,
  watch: async () => (await import('./commands/look.ts')).watch,
  show: async () => (await import('./commands/look.ts')).show,
  approve: async () => (await import('./commands/decide.ts')).decide,
  refuse: async () => (await import('./commands/decide.ts')).decide,
  cancel: async () => (await import('./commands/decide.ts')).decide,
  callbacks: async () => (await import('./commands/callbacks.ts')).callbacks,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  strays: async () => (await import('./commands/strays.ts')).strays,
  proof: async () => (await import('./commands/proof.ts')).proof,
  verify: async () => (await import('./commands/verify.ts')).verify,
  audit: async () => (await import('./commands/audit.ts')).audit,
  report: async () => (await import('./commands/report.ts')).report,
  ledger: async () => (await import('./commands/ledger.ts')).ledger,
  integration: async () => (await import('./commands/integration.ts')).integration,
  keys: async () => (await import('./commands/keys.ts')).keys,
  signers: async () => (await import('./commands/signers.ts')).signers,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  help: async () => async () => {
    process.stdout.write(HELP);
    return EXIT.ok;
  },
};

async function main(argv: readonly string[], printer: Printer): Promise<number> {
  const args = readArguments(argv);
  const command = await COMMANDS[args.command]?.();
  if (command === undefined) throw new Exit(EXIT.usage, `there is no command ${args.command}`);
  const stop = new AbortController();
  const interrupted = () => {
    // Once asks, twice insists; the kernel or the exit handler ends what runs beside us.
    if (stop.signal.aborted) process.exit(EXIT.stopped);
    stop.abort();
    printer.doing('stopping; once more ends it at once');
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupted);
  stopWithParent(process.env['IMPOUND_PARENT'], () => stop.abort());
  try {
    return await command({ args, printer, environment: process.env }, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted || error instanceof Exit) throw error;
    throw new Exit(EXIT.stopped, 'interrupted', { cause: error });
  }
}

const LOOK_MS = 500;

/**
 * bin/impound.mjs waits for us: where it was killed, whoever called it believes that we are gone.
 */
function stopWithParent(parent: string | undefined, stop: () => void): void {
  if (parent !== String(process.ppid)) return;
  const look = () => {
    if (String(process.ppid) !== parent) stop();
  };
  setInterval(look, LOOK_MS).unref();
}

// Whoever reads may go away, as head does: what was begun goes on without being heard.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const json = process.argv.includes('--json');
const printer = openPrinter(json, process.stdout, process.stderr);
try {
  process.exitCode = await main(process.argv.slice(2), printer);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const exitCode = error instanceof Exit ? error.code : EXIT.failed;
  printer.value('error', { exitCode, message });
  printer.error(message);
  process.exitCode = exitCode;
}
