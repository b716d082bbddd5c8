// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { splitLines } from '@impound/evidence/lines.ts';
import { type BagReport, verifyBag } from '@impound/evidence/verify-bag.ts';
import { type ChainReport, objectsOf, verifyChain } from '@impound/evidence/verify-chain.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';

/** Checks an exported bag without any platform: every byte, every file, every link of the chain. */
export async function verify(here: Here, signal: AbortSignal): Promise<number> {
  const [directory, ...more] = here.args.positionals;
  if (directory === undefined || more.length > 0) {
    throw new Exit(EXIT.usage, 'verify takes one directory: what impound export has written');
  }
  const bag = await verifyBag(directory, signal);
  const chain = await verifyChain(chainLines(directory));
  const unsealed = foreignObjects(bag, chain);
  const findings = [...bag.findings, ...chain.findings, ...unsealed];
  here.printer.value({ ok: findings.length === 0, findings, sha256: bag.sha256, head: chain.head });
  for (const { code, what, where } of findings) here.printer.line(`  ${code}: ${what} (${where})`);
  tell(here, { bag, chain, findings: findings.length });
  return findings.length === 0 ? EXIT.ok : EXIT.findings;
}

async function* chainLines(directory: string): AsyncGenerator<string> {
  const file = createReadStream(join(directory, 'custody', 'chain.jsonl'));
  for await (const { bytes, ended } of splitLines(file)) {
    yield bytes.subarray(0, ended ? -1 : undefined).toString('utf8');
  }
}

/** Objects in the bag that no entry of the chain vouches for. */
function foreignObjects(bag: BagReport, chain: ChainReport) {
  const known = new Set(objectsOf(chain.state).map((object) => object.sha256));
  return [...bag.captures]
    .flatMap(([name, { archive, manifest }]) => [
      { name, sha256: archive.sha256 },
      { name: `manifest of ${name}`, sha256: manifest.sha256 },
    ])
    .filter(({ sha256 }) => !known.has(sha256))
    .map(({ name }) => ({
      code: 'object-not-sealed',
      what: 'the chain of custody names no object with this digest',
      where: name,
    }));
}

interface Told {
  readonly bag: BagReport;
  readonly chain: ChainReport;
  readonly findings: number;
}

function tell({ printer }: Here, { bag, chain, findings }: Told): void {
  const captures = [...bag.captures.values()];
  const files = captures.reduce((sum, one) => sum + one.files, 0);
  printer.line(
    findings === 0 ? 'verified: everything fits' : `${findings} findings: DO NOT RELY ON IT`,
  );
  printer.line(
    `  ${captures.length} captures, ${files} files: each has the SHA-256 of its manifest`,
  );
  printer.line(`  ${chain.entries} entries: each names the hash of the one before; seal checked`);
  printer.line(`  chain head  ${chain.head}`);
  printer.line(`  bag SHA-256 ${bag.sha256 ?? 'unknown'}`);
  printer.line(
    '  not proven here: when it was, and that the ledger showed this chain to everybody.',
  );
  printer.line('  Compare the chain head with one that you got from the platform by another way.');
}
