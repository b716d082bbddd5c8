// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { Signers } from '@impound/contracts/signer.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { finishSigners, knownList, rotateSigner } from '../signers.ts';

/** Shows by which keys services sign what they capture and store, and changes one of them. */
export async function signers({ args, printer }: Here): Promise<number> {
  const [given, ...others] = args.positionals;
  if (given === undefined || others.length > 0) {
    throw new Exit(EXIT.usage, 'signers takes one folder: where the keys and signers.json are');
  }
  const folder = resolve(given);
  const rotate = args.text('rotate');
  if (args.flag('finish')) await finishSigners(folder);
  if (rotate !== undefined) await rotateSigner(folder, rotate);
  const listed = await knownList(folder);
  printer.value('signers', { folder, signers: listed });
  for (const line of linesOf(listed)) printer.line(line);
  if (rotate !== undefined) for (const line of ROTATED) printer.line(line);
  if (args.flag('finish')) printer.line('next: start the ledger again; it retires what is gone');
  return EXIT.ok;
}

function linesOf(listed: Signers): readonly string[] {
  return Object.entries(listed).flatMap(([service, keys]) =>
    keys.map(({ publicKey, vouched }) => {
      const by = vouched === undefined ? '' : ', for which the one before vouches';
      return `${service}  ${publicKey}${by}`;
    }),
  );
}

const ROTATED = [
  'both keys count from then on: start the ledger again, then the service, and end with',
  'impound signers FOLDER --finish',
];
