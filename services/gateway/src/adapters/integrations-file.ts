// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import process from 'node:process';
import { Integrations } from '@impound/contracts/integration.ts';
import { ConfigFault } from '@impound/runtime/config.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import { isSettled, lookAt, type Marked, markOf } from '@impound/runtime/file-mark.ts';
import type { Log } from '@impound/runtime/log.ts';

/** The integrations as the file has them now; the same object for as long as it does not change. */
export interface IntegrationsFile {
  current(): Promise<Integrations>;
  /** Why the file is not used as it is now; undefined where all is well. */
  fault(): string | undefined;
}

const FILE_BYTES_MAX = 8 * 1_048_576;
/** Where the file is ours nobody else may read it; a mounted secret is root's, and our group's. */
const FORBIDDEN_OWN = 0o077;
const FORBIDDEN_MOUNTED = 0o037;
const FAULTS_MAX = 16;

/**
 * Reads the file now and whenever it is another one, before the next caller is let in: a file that
 * is damaged by then leaves the last good one in force, loudly. Throws ConfigFault where there is
 * no good one at the start. Nothing of the content is ever repeated.
 */
export async function openIntegrations(
  file: string,
  log: Pick<Log, 'info' | 'error'>,
  look: (file: string) => Marked = lookAt,
): Promise<IntegrationsFile> {
  let good = await read(file).catch((error: unknown) => {
    throw new ConfigFault(`INTEGRATIONS_FILE: ${messageOf(error)}`);
  });
  let mark = good.mark;
  let fault: string | undefined;
  const refresh = async (seen: string) => {
    const before = mark;
    try {
      const next = await read(file);
      mark = next.mark;
      fault = undefined;
      if (next.text === good.text) return;
      tellChanges(good.integrations, next.integrations, log);
      good = next;
    } catch (error) {
      mark = seen;
      const because = messageOf(error);
      if (before !== UNSETTLED || because !== fault) {
        log.error('integrations damaged, the last good ones stay in force', { because });
      }
      fault = because;
    }
  };
  let refreshing: Promise<void> | undefined;
  return {
    fault: () => fault,
    current: async () => {
      const { mark: seen, lasts } = seenBy(() => look(file));
      if (seen !== mark) {
        refreshing ??= refresh(lasts ? seen : UNSETTLED).finally(() => {
          refreshing = undefined;
        });
        await refreshing;
      }
      return good.integrations;
    },
  };
}

const GONE = 'gone';
/** Of a file that was touched just before it was read: no look gives it. */
const UNSETTLED = '';

function seenBy(look: () => Marked): { readonly mark: string; readonly lasts: boolean } {
  try {
    const about = look();
    return { mark: markOf(about), lasts: isSettled(about) };
  } catch {
    return { mark: GONE, lasts: true };
  }
}

async function read(
  file: string,
): Promise<{ readonly integrations: Integrations; readonly text: string; readonly mark: string }> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} cannot be read: ${error.code}`);
  });
  await using _ = handle;
  const about = await handle.stat({ bigint: true });
  const ours = about.uid === BigInt(process.getuid?.() ?? 0);
  const forbidden = ours ? FORBIDDEN_OWN : FORBIDDEN_MOUNTED;
  if ((Number(about.mode) & forbidden) !== 0) {
    throw new Error(`${file} holds secrets and others may read it: chmod 600 ${file}`);
  }
  if (about.size > BigInt(FILE_BYTES_MAX)) throw new Error(`${file} is too large`);
  const mark = isSettled(about) ? markOf(about) : UNSETTLED;
  const text = await handle.readFile('utf8');
  return { integrations: parsed(text, file), text, mark };
}

function parsed(text: string, file: string): Integrations {
  const read = Integrations.safeParse(jsonOf(text, file));
  if (read.success) return read.data;
  const faults = read.error.issues
    .slice(0, FAULTS_MAX)
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`${file} is not what it should be:\n  ${faults.join('\n  ')}`);
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would repeat a piece of the text.
    throw new Error(`${file} is no JSON`);
  }
}

/** Who changed what is written in the file; what was changed by hand shows in the ids. */
function tellChanges(before: Integrations, after: Integrations, log: Pick<Log, 'info'>): void {
  const known = new Set(before.changes.map((change) => JSON.stringify(change)));
  for (const change of after.changes) {
    if (!known.has(JSON.stringify(change))) log.info('integration changed', change);
  }
  const texts = (of: Integrations) =>
    new Map(of.integrations.map((one) => [one.id as string, JSON.stringify(one)]));
  const [old, now] = [texts(before), texts(after)];
  log.info('integrations read again', {
    added: [...now.keys()].filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !now.has(id)),
    differing: [...now].flatMap(([id, text]) => ((old.get(id) ?? text) === text ? [] : id)),
  });
}
