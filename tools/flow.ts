// SPDX-License-Identifier: Apache-2.0
import type { EventContract } from '@impound/contracts/event.ts';
import { PARTIES, type Party } from '@impound/contracts/parties.ts';
import { events, questions } from '../contracts/generate/contracts.ts';

/** The services that do `what` with the contract of this name, in the order of the table. */
export function parties(what: 'says' | 'hears' | 'asks' | 'answers', name: string): string[] {
  const does = ([, party]: [string, Party]) => party[what].includes(name);
  return Object.entries(PARTIES)
    .filter(does)
    .map(([service]) => service);
}

/** docs/flow.md: who says what to whom, made from contracts/src and its table of parties. */
export async function flowDocument(): Promise<string> {
  const [said, asked] = [await events(), await questions()];
  return [
    '# The flow',
    '',
    'Made by `npm run generate` from `contracts/src/parties.ts` and the contracts; edit those.',
    'Every arrow goes through the ledger: what is said is committed there before anybody hears it.',
    '',
    '```mermaid',
    'flowchart TD',
    ...arrows(said.map(({ contract }) => contract.type)),
    '```',
    '',
    '## Events',
    '',
    '| event | said by | heard by | place in the chain |',
    '|---|---|---|---|',
    ...said.map(({ contract }) => eventRow(contract)),
    '',
    '## Questions',
    '',
    '| question | asked by | answered by |',
    '|---|---|---|',
    ...asked.map(({ contract: { name } }) =>
      row(`\`${name}\``, list(parties('asks', name)), list(parties('answers', name))),
    ),
    '',
  ].join('\n');
}

function arrows(types: readonly string[]): string[] {
  const labels = new Map<string, string[]>();
  for (const type of types) {
    for (const from of parties('says', type)) {
      for (const to of parties('hears', type)) {
        const pair = JSON.stringify([from, to]);
        labels.set(pair, [...(labels.get(pair) ?? []), type.replace(/\.v\d+$/, '')]);
      }
    }
  }
  return [...labels].map(([pair, names]) => {
    const [from, to]: string[] = JSON.parse(pair);
    return `  ${from} -->|"${names.join('<br/>')}"| ${to}`;
  });
}

function eventRow(contract: EventContract): string {
  const place = [
    contract.begins ? 'begins it' : '',
    contract.fence === 'claim' ? 'claims an epoch' : '',
    contract.fence === 'result' ? 'needs the epoch' : '',
    contract.ends ? 'ends it' : '',
    contract.terminal ? 'for the record' : '',
  ].filter((words) => words !== '');
  const { type } = contract;
  return row(
    `\`${type}\``,
    list(parties('says', type)),
    list(parties('hears', type)),
    place.join(', '),
  );
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function list(names: readonly string[]): string {
  return names.length > 0 ? names.join(', ') : '-';
}
