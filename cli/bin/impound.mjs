#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs on any Node from 18 on: the set-up finds or fetches the one that the project needs. It is
// part of this process, so that a signal to this process reaches the program.
import { fileURLToPath } from 'node:url';

/** An auditor with only a bag needs no nats-server, and neither does who only prepares. */
const WITHOUT_NATS = [undefined, 'verify', 'ledger', 'init', 'doctor', 'help', '--help', '-h'];

const place = (path) => new URL(path, import.meta.url);
const nats = WITHOUT_NATS.includes(process.argv[2]) ? [] : ['--nats'];
const traced = Object.keys(process.env).some((name) => name.startsWith('OTEL_'));
const telemetry = traced ? ['--import', place('../../packages/telemetry/src/main.ts').href] : [];
process.argv.splice(2, 0, ...nats, ...telemetry, fileURLToPath(place('../src/main.ts')));
process.env['IMPOUND_PARENT'] = String(process.pid);

/** Ended by a signal before the program could answer it: what `impound help` calls interrupted. */
const INTERRUPTED = 3;
process.on('exit', (code) => {
  if ([129, 130, 143].includes(code)) process.exitCode = INTERRUPTED;
});
await import(place('../../tools/with-node.mjs').href);
