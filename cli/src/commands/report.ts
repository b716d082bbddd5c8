// SPDX-License-Identifier: Apache-2.0
import { extname } from 'node:path';
import { verifyBag } from '@impound/evidence/verify-bag.ts';
import { verifyChain } from '@impound/evidence/verify-chain.ts';
import { accountOf } from '@impound/report/account.ts';
import { FORMATS, recordedOf } from '@impound/report/bag-reports.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { save } from '../new-file.ts';
import { chainLines, directoryOf } from './verify.ts';

/** Writes what a bag tells as a report; of a bag that does not verify no report is made. */
export async function report(here: Here, signal: AbortSignal): Promise<number> {
  const { args, printer } = here;
  const file = args.needed('out');
  const write = FORMATS[extname(file).toLowerCase()];
  if (write === undefined) {
    const known = Object.keys(FORMATS).join(', ');
    throw new Exit(EXIT.usage, `${file}: name a file that ends in ${known}`);
  }
  const directory = await directoryOf(here);
  const { sha256, entries } = await verified(directory, signal);
  const content = write({
    account: accountOf(entries),
    bagSha256: sha256,
    at: new Date().toISOString(),
  });
  await save(file, content, signal);
  printer.value('report', { file, bag: directory, bagSha256: sha256, entries: entries.length });
  printer.line(`wrote ${file}: ${entries.length} entries of ${directory}`);
  return EXIT.ok;
}

async function verified(directory: string, signal: AbortSignal) {
  const bag = await verifyBag(directory, signal);
  const texts: string[] = [];
  const lines = (async function* () {
    for await (const text of chainLines(directory)) {
      texts.push(text);
      yield text;
    }
  })();
  const chain = await verifyChain(lines);
  const found = [...bag.findings, ...chain.findings];
  if (found.length > 0) {
    const what = `${directory} has ${found.length} findings, so no report was made`;
    throw new Exit(EXIT.findings, `${what}: see impound verify ${directory}`);
  }
  return { sha256: bag.sha256, entries: texts.map((text) => recordedOf(Buffer.from(text))) };
}
