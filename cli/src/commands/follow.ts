// SPDX-License-Identifier: Apache-2.0
import { type Acquisition, NO_ACQUISITION, next } from '@impound/contracts/chain.ts';
import { Entry } from '@impound/contracts/entry.ts';
import { Progress } from '@impound/contracts/progress.ts';
import { waitsForExecutor } from '@impound/contracts/waiting.ts';
import { AWAY, type Client, type Shown } from '../client.ts';
import type { Told } from '../event-stream.ts';
import { EXIT } from '../exit-code.ts';
import { bytesText, type Printer } from '../printer.ts';
import { timelineLine, waitingLine } from '../timeline.ts';

/** How an acquisition ended. */
export interface Ending {
  /** The exit code that its end stands for. */
  readonly code: number;
  readonly status: string;
  /** The acquisition that holds the result: itself, or the one that it joined. */
  readonly holder: string;
}

/** Shows an acquisition as it goes and gives the exit code of its end. */
export async function follow(client: Client, id: string, printer: Printer): Promise<number> {
  return (await followToEnd(client, id, printer)).code;
}

/** Like follow; where the acquisition joins another one, that one is followed to its end, too. */
export async function followToEnd(client: Client, id: string, printer: Printer): Promise<Ending> {
  await showAll(client, id, printer);
  const shown = await client.get<Shown>(`/v1/acquisitions/${id}`);
  const joins = joinsOf(shown);
  if (joins === undefined || joins === id) return endingOf(shown);
  printer.line(`${id} shares the result of ${joins}, which goes on:`);
  return await followToEnd(client, joins, printer);
}

async function showAll(client: Client, id: string, printer: Printer): Promise<void> {
  let state = NO_ACQUISITION;
  let startedAt = '';
  let soon: NodeJS.Timeout | undefined;
  try {
    for await (const told of client.follow(id)) {
      const entry = Entry.safeParse(told.data);
      if (!entry.success) showProgress(told, printer);
      else if (entry.data.acqSeq > state.version) {
        startedAt ||= entry.data.recordedAt;
        printer.value('entry', told.data);
        printer.line(timelineLine(entry.data, startedAt));
        state = next(state, entry.data);
        clearTimeout(soon);
        soon = tellWaiting(state, printer);
      }
    }
  } finally {
    clearTimeout(soon);
  }
}

/** An executor that is there takes what it is given within a moment. */
const MOMENT_MS = 5_000;

/** Who waits for nobody should know it: told after a moment, unless something comes first. */
function tellWaiting(state: Acquisition, printer: Printer): NodeJS.Timeout | undefined {
  const waiting = waitsForExecutor(state);
  if (waiting === undefined) return undefined;
  const { acquisitionId } = state;
  return setTimeout(() => {
    printer.value('waiting', { acquisitionId, waiting });
    printer.line(waitingLine(waiting, acquisitionId));
  }, MOMENT_MS);
}

function showProgress(told: Told, printer: Printer): void {
  if (told.event === AWAY) printer.doing('the platform is away: trying again');
  const progress = Progress.safeParse(told.data);
  if (!progress.success) return;
  const { phase, files, bytes } = progress.data;
  printer.value('progress', progress.data);
  printer.doing(`collecting: ${files} files, ${bytesText(bytes)} (${phase})`);
}

const ENDINGS: Readonly<Record<string, number>> = {
  sealed: EXIT.ok,
  failed: EXIT.failed,
  refused: EXIT.stopped,
  denied: EXIT.stopped,
  cancelled: EXIT.stopped,
  expired: EXIT.stopped,
};

/** The end of an acquisition as the gateway shows it. */
export function endingOf(shown: Shown): Ending {
  const { status, acquisitionId } = shown;
  const partial = status === 'sealed' && endOf(shown)['partial'] === true;
  const code = partial ? EXIT.partial : (ENDINGS[status] ?? EXIT.failed);
  return { code, status: partial ? 'sealed, partial' : status, holder: acquisitionId };
}

/** The acquisition that a joined one shares the result of. */
export function joinsOf(shown: Shown): string | undefined {
  const { joins } = endOf(shown);
  return shown.status === 'joined' && typeof joins === 'string' ? joins : undefined;
}

function endOf({ ended }: Shown): Readonly<Record<string, unknown>> {
  return (ended as { data?: Record<string, unknown> } | undefined)?.data ?? {};
}
