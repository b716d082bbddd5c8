// SPDX-License-Identifier: Apache-2.0
import { globSync } from 'node:fs';
import type { EventContract } from '../src/event.ts';
import type { QuestionContract } from '../src/question.ts';

/** A contract and the file it stands in, relative to contracts/src. */
export interface Found<Contract> {
  readonly file: string;
  /** The name under which the file exports it. */
  readonly name: string;
  readonly contract: Contract;
  /** How many other values the file exports beside the contract. */
  readonly others: number;
}

const root = new URL('../src/', import.meta.url);

async function load<Contract>(pattern: string, skip: RegExp): Promise<Found<Contract>[]> {
  const files = globSync(pattern, { cwd: root }).filter((file) => !skip.test(file));
  const found = files.toSorted().map(async (file) => {
    const [first, ...others] = Object.entries(await import(new URL(file, root).href));
    const [name = '', contract] = first ?? [];
    return { file, name, contract: contract as Contract, others: others.length };
  });
  return await Promise.all(found);
}

/** Every event, by the order of its file name. */
export function events(): Promise<Found<EventContract>[]> {
  return load('*/*.v*.ts', /^ask\//);
}

/** Every question. */
export function questions(): Promise<Found<QuestionContract>[]> {
  return load('ask/*.v*.ts', /^$/);
}
