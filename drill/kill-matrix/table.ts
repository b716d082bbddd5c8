// SPDX-License-Identifier: Apache-2.0
import { type Ended, MOMENTS } from './cell.ts';

/** The matrix as a Markdown table for each way: how it ended, and after how many seconds. */
export function table(ended: readonly Ended[]): string[] {
  const ways = [...new Set(ended.map(({ cell }) => cell.way))];
  return ways.flatMap((way) =>
    tableOf(
      way,
      ended.filter(({ cell }) => cell.way === way),
    ),
  );
}

function tableOf(way: string, ended: readonly Ended[]): string[] {
  const moments = MOMENTS.filter((moment) => ended.some(({ cell }) => cell.moment === moment));
  const victims = [...new Set(ended.map(({ cell }) => cell.victim))];
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = victims.map((victim) => {
    const cells = moments.map((moment) => {
      const one = ended.find(({ cell }) => cell.victim === victim && cell.moment === moment);
      return one === undefined ? '' : `${one.outcome} ${(one.ms / 1_000).toFixed(1)}`;
    });
    return row([victim ?? '', ...cells]);
  });
  const head = row([way, ...moments]);
  return ['', head, row(['---', ...moments.map(() => '---')]), ...rows, ''];
}
