// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type StatementSigner, statementSigner } from '@impound/runtime/statement.ts';
import {
  finishSigners,
  makeStatementKeys,
  rotateSigner,
  SIGNERS_FILE,
  signerFolder,
  statementKeyName,
} from '../../cli/src/signers.ts';

/** The service whose word is said, and signed. */
export const SIGNER = 'discovery';

/** The keys by which services sign, as `impound init` and `impound keys` keep them. */
export interface Signers {
  /** The list of their public halves: the ledger's SIGNERS. */
  readonly file: string;
  /** The key that signs now. */
  now(): Promise<StatementSigner>;
  /** Gives it another key, and forgets the one that was before the last. */
  rotate(): Promise<void>;
}

/** Makes the keys in a folder, which is made too. */
export async function openSigners(folder: string): Promise<Signers> {
  await mkdir(folder);
  await makeStatementKeys(signerFolder(folder));
  return {
    file: join(folder, SIGNERS_FILE),
    now: async () =>
      statementSigner(await readFile(join(folder, statementKeyName(SIGNER)), 'utf8')),
    rotate: async () => {
      await finishSigners(folder);
      await rotateSigner(folder, SIGNER);
    },
  };
}
