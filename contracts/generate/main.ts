// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { artifacts, eventList } from './artifacts.ts';
import { frozen } from './freeze.ts';

const to = new URL('../schemas/', import.meta.url);
rmSync(to, { recursive: true, force: true });
mkdirSync(to);
for (const [name, text] of await artifacts()) writeFileSync(new URL(name, to), text);
writeFileSync(new URL('../src/events.ts', import.meta.url), await eventList());

/** Keeps what a release says, so that later ones are held against it. */
export async function freeze(version: string): Promise<void> {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error('--freeze VERSION, e.g. 0.1.0');
  const directory = new URL(`../fixtures/${version}/`, import.meta.url);
  rmSync(directory, { recursive: true, force: true });
  for (const [name, text] of await frozen()) {
    const file = fileURLToPath(new URL(name, directory));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
