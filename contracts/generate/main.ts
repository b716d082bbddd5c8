// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { artifacts, eventList } from './artifacts.ts';

const to = new URL('../schemas/', import.meta.url);
rmSync(to, { recursive: true, force: true });
mkdirSync(to);
for (const [name, text] of await artifacts()) writeFileSync(new URL(name, to), text);
writeFileSync(new URL('../src/events.ts', import.meta.url), await eventList());
