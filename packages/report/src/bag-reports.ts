// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import { leafHash } from '@impound/evidence/verify-chain.ts';
import { accountOf, type Recorded } from './account.ts';
import { caseDocument } from './case-uco.ts';
import { csv } from './csv.ts';
import { pdf, type ReportOf } from './pdf.ts';

type Content = AsyncIterable<Uint8Array | string> | Iterable<string>;

/** What makes a report, by the ending of its file. */
export const FORMATS: Readonly<Record<string, (of: ReportOf) => Content>> = {
  '.pdf': pdf,
  '.csv': ({ account }) => csv(account.entries),
  '.jsonld': ({ account }) => [`${JSON.stringify(caseDocument(account), undefined, 1)}\n`],
};

/** An entry as it is told, made of its bytes. */
export function recordedOf(bytes: Buffer, index?: number): Recorded {
  return { entry: Entry.parse(JSON.parse(bytes.toString('utf8'))), leaf: leafHash(bytes), index };
}

/**
 * Every report of a chain for the bag that holds it; `indexes` are the places of its entries. The
 * time of a report is that of the last entry: the same chain gives the same bytes.
 */
export function bagReports(chain: readonly Buffer[], indexes: readonly number[]) {
  const entries = chain.map((bytes, at) => recordedOf(bytes, indexes[at]));
  const at = entries.at(-1)?.entry.recordedAt ?? '';
  const of = { account: accountOf(entries), at };
  return Object.entries(FORMATS).map(([ending, write]) => ({
    name: `chain-of-custody${ending}`,
    content: bytesOf(write(of)),
  }));
}

async function* bytesOf(content: Content): AsyncGenerator<Uint8Array> {
  for await (const part of content) yield typeof part === 'string' ? Buffer.from(part) : part;
}
