#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs on any Node from 18 on: the set-up finds or fetches the one that the project needs.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const start = [file('../../tools/with-node.mjs'), '--nats', file('../src/main.ts')];
const { status, signal } = spawnSync(process.execPath, [...start, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exitCode = signal === null ? (status ?? 1) : 3;
