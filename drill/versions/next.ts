// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copiedTree, type Tree } from './tree.ts';

/** The field that every event of the next version has. */
export const ADDED_FIELD = 'addedByNext';
/** What the next version says beside its first version. */
export const SECOND_VERSION = 'target.resolved.v2';

/** Of one file of this version: what is there, and what the next version has in its place. */
type Change = readonly [file: string, found: string, instead: string];

/** A field more in every event that is said; who does not know it may leave it out. */
const FIELD: readonly Change[] = [
  ['contracts/src/event.ts', 'import type * as z', 'import * as z'],
  [
    'contracts/src/event.ts',
    'return contract;',
    `if (!(contract.shape instanceof z.ZodObject)) return contract;
  const ${ADDED_FIELD} = z.object({ word: z.string().max(64) }).default({ word: 'new' });
  const shape = contract.shape.extend({ ${ADDED_FIELD} });
  return { ...contract, shape: shape as never };`,
  ],
];

/** Who says v1 in answer to a message says v2 beside it, where there is one. */
const VERSION: readonly Change[] = [
  [
    'contracts/src/events.ts',
    'export const EVENTS: readonly EventContract[] = [',
    `import { TargetResolvedV2 } from './target/resolved.v2.ts';
export const EVENTS: readonly EventContract[] = [TargetResolvedV2,`,
  ],
  [
    'contracts/src/parties.ts',
    "says: ['target.resolved.v1', ",
    `says: ['target.resolved.v1', '${SECOND_VERSION}', `,
  ],
  [
    'packages/runtime/src/hear.ts',
    'if (reply.ok) return;',
    `const contract = EVENTS.find(
    ({ type }) => type === said.contract.type.replace(/v1$/, 'v2') && type !== said.contract.type,
  );
  if (reply.ok && contract !== undefined) {
    return await sayChild(house, message, { contract, data: { seen: 'again' } }, signal);
  }
  if (reply.ok) return;`,
  ],
  [
    'packages/runtime/src/hear.ts',
    'import { LedgerHeadV1 }',
    "import { EVENTS } from '@impound/contracts/events.ts';\nimport { LedgerHeadV1 }",
  ],
];

const CONTRACT = `import * as z from 'zod';
import { event } from '../event.ts';

export const TargetResolvedV2 = event({
  type: '${SECOND_VERSION}',
  route: () => '_',
  terminal: true,
  shape: z.object({ seen: z.string().max(64) }),
  example: { seen: 'again' },
});
`;

/** All that is changed of this version: each is found once. */
export const CHANGES: readonly Change[] = [...FIELD, ...VERSION];

/** Makes a version after this one, of what a version may add: fields, and a v2 beside a v1. */
export async function nextTree(scope: AsyncDisposableStack): Promise<Tree> {
  const tree = await copiedTree('the next version', scope);
  for (const [name, found, instead] of CHANGES) {
    const file = join(tree.directory, name);
    const text = await readFile(file, 'utf8');
    if (text.split(found).length !== 2) throw new Error(`${name} has not one: ${found}`);
    await writeFile(
      file,
      text.replace(found, () => instead),
    );
  }
  await writeFile(join(tree.directory, 'contracts/src/target/resolved.v2.ts'), CONTRACT);
  return { ...tree, ledgerFirst: true };
}
