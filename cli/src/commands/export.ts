// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path';
import { type Acquisition, fold } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import type { EvidenceObject } from '@impound/contracts/evidence.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import { type BagObject, writeBag } from '@impound/evidence/bag.ts';
import { EvidenceFault } from '@impound/evidence/fault.ts';
import { neededAccess } from '../access.ts';
import { type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { bytesText, type Printer } from '../printer.ts';

/** Writes one acquisition as a BagIt bag: evidence, context and chain. */
export async function exportCommand(here: Here, signal: AbortSignal): Promise<number> {
  const [acquisitionId] = here.args.positionals;
  if (acquisitionId === undefined) throw new Exit(EXIT.usage, 'export takes an acquisition id');
  const client = openClient(await neededAccess(here), signal);
  const directory = here.args.needed('out');
  const purpose = here.args.text('purpose') ?? 'exported by impound export';
  await exportBag({ client, acquisitionId, directory, purpose, printer: here.printer }, signal);
  return EXIT.ok;
}

interface Export {
  readonly client: Client;
  readonly acquisitionId: string;
  readonly directory: string;
  readonly purpose: string;
  readonly printer: Printer;
}

/** The chain is taken last, so that it tells of this very access to the evidence. */
export async function exportBag(it: Export, signal: AbortSignal): Promise<void> {
  const state = await readState(it);
  const chosen = objectsToExport(state);
  if (chosen.length === 0) throw new Exit(EXIT.failed, 'this acquisition has stored no evidence');
  const objects = chosen.map((object) => bagObject(it, object));
  try {
    const bag = await writeBag(
      it.directory,
      { objects, chain: chainBytes(it), info: infoOf(it, state) },
      signal,
    );
    const bytes = chosen.reduce((sum, object) => sum + object.bytes, 0);
    it.printer.value({ bag: it.directory, sha256: bag.sha256, bytes });
    it.printer.line(`exported ${bytesText(bytes)} to ${it.directory}`);
    it.printer.line(`  bag SHA-256 ${bag.sha256}`);
    it.printer.line(`  next        impound verify ${it.directory}`);
  } catch (error) {
    if (!(error instanceof EvidenceFault)) throw error;
    throw new Exit(EXIT.failed, `${basename(it.directory)}: ${error.message}`, { cause: error });
  }
}

async function readState(it: Export): Promise<Acquisition> {
  const response = await it.client.stream(`/v1/acquisitions/${it.acquisitionId}/chain`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return fold(lines.map((line) => Entry.parse(JSON.parse(line))));
}

/** What was captured, else what the last interrupted execution had stored; and the context. */
export function objectsToExport(state: Acquisition): readonly EvidenceObject[] {
  const captured = state.executions.findLast((one) => one.captured)?.captured?.objects;
  const salvaged = state.executions.findLast((one) => one.failed?.salvaged.length)?.failed
    ?.salvaged;
  return [...(captured ?? salvaged ?? []), ...(state.target?.context.objects ?? [])];
}

function bagObject(it: Export, object: EvidenceObject): BagObject {
  const { name, bytes, sha256, key } = object;
  const [set = '', file = ''] = key.split('/').slice(-2);
  const query = new URLSearchParams({ purpose: it.purpose });
  const path = `/v1/acquisitions/${it.acquisitionId}/evidence/${set}/${file}?${query}`;
  const content = (async function* () {
    it.printer.doing(`fetching ${name} (${bytesText(bytes)})`);
    yield* (await it.client.stream(path)).body ?? [];
  })();
  return { name, bytes, sha256, content };
}

async function* chainBytes(it: Export): AsyncGenerator<Uint8Array> {
  yield* (await it.client.stream(`/v1/acquisitions/${it.acquisitionId}/chain`)).body ?? [];
}

function infoOf(it: Export, state: Acquisition): Record<string, string> {
  return {
    'External-Identifier': it.acquisitionId,
    'Internal-Sender-Identifier': state.request?.caseId ?? '',
    'External-Description': state.request ? formatTarget(state.request.target) : '',
    'Bagging-Date': new Date().toISOString().slice(0, 10),
  };
}
