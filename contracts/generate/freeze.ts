// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { fold } from '../src/chain.ts';
import { Entry, NO_PREVIOUS } from '../src/entry.ts';
import { EVENTS } from '../src/events.ts';
import { statusOf } from '../src/status.ts';
import { artifacts } from './artifacts.ts';
import type { Schema } from './compatibility.ts';
import { entryOf, meaningOf, messageKinds, wireTexts } from './messages.ts';

/** Acquisitions as they go, by the events of their chains; `#2` is the second epoch. */
const CHAINS: Readonly<Record<string, readonly string[]>> = {
  sealed: [
    ...[...began(), 'context.captured.v1', ...worked(), 'context.stored.v1'],
    ...['evidence.stored.v1', 'acquisition.sealed.v1'],
  ],
  'second-rung': [
    ...began(),
    ...['acquisition.assigned.v1', 'execution.started.v1', 'execution.failed.v1'],
    ...[...worked('#2'), 'context.captured.v1', 'context.stored.v1'],
    ...['evidence.stored.v1#2', 'acquisition.sealed.v1#2'],
  ],
  lapsed: [
    ...began(),
    ...['acquisition.assigned.v1', 'execution.started.v1', 'execution.lapsed.v1'],
    ...['acquisition.assigned.v1#2', 'execution.started.v1#2', 'execution.fenced.v1'],
  ],
  rejected: [...began(), ...worked(), 'evidence.rejected.v1', 'acquisition.failed.v1'],
  missing: ['acquisition.requested.v1', 'target.missing.v1', 'acquisition.failed.v1'],
  refused: ['acquisition.requested.v1', 'acquisition.refused.v1'],
  approved: ['acquisition.requested.v1', 'acquisition.approved.v1', 'acquisition.expired.v1'],
  cancelled: [...began(), 'cancellation.requested.v1', 'acquisition.cancelled.v1'],
  joined: ['acquisition.requested.v1', 'acquisition.joined.v1'],
};

function began(): string[] {
  return ['acquisition.requested.v1', 'target.resolved.v1', 'access.checked.v1'];
}

function worked(epoch = ''): string[] {
  return ['acquisition.assigned.v1', 'execution.started.v1', 'evidence.captured.v1'].map(
    (type) => type + epoch,
  );
}

/** One kind of message as a release has it. */
export interface FrozenKind {
  readonly schema: Schema;
  readonly specimens: readonly {
    /** The exact bytes, as text. */
    readonly sent: string;
    /** What that release understands of it. */
    readonly meaning: unknown;
  }[];
}

/** One chain as a release has it. */
export interface FrozenChain {
  readonly entries: readonly string[];
  readonly meaning: unknown;
}

/**
 * What a release says, hears and asks, in files by their names: a schema, the bytes of specimens
 * and what this release understands of them. Later releases are held against it.
 */
export async function frozen(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const kinds = new Map((await messageKinds()).map((kind) => [kind.name, kind]));
  for (const [file, text] of await artifacts()) {
    const name = file.replace(/\.schema\.json$/, '');
    if (name === file) continue;
    const kind = kinds.get(name);
    const specimens = (kind === undefined ? [] : wireTexts(kind)).map((sent) => ({
      sent,
      meaning: kind && meaningOf(kind, sent),
    }));
    files.set(`messages/${name}.json`, json({ schema: JSON.parse(text), specimens }));
  }
  for (const [name, types] of Object.entries(CHAINS)) {
    const entries = chainTexts(types);
    files.set(`chains/${name}.json`, json({ entries, meaning: stateOf(entries) }));
  }
  return files;
}

function json(value: FrozenKind | FrozenChain): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function chainTexts(types: readonly string[]): string[] {
  const texts: string[] = [];
  let previous = NO_PREVIOUS;
  for (const [at, word] of types.entries()) {
    const [type = '', epoch] = word.split('#');
    const example = EVENTS.find((one) => one.type === type)?.example as object | undefined;
    if (example === undefined) throw new Error(`a chain is made of ${type}, which is no event`);
    const data = epoch === undefined ? example : { ...example, epoch: Number(epoch) };
    const text = entryOf({ type, data }, at + 1, previous);
    texts.push(text);
    previous = createHash('sha256').update(`\0${text}`, 'utf8').digest('hex');
  }
  return texts;
}

/** What this release makes of a whole chain. */
export function stateOf(texts: readonly string[]): object {
  const state = fold(texts.map((text) => Entry.parse(JSON.parse(text))));
  return { status: statusOf(state), state };
}
