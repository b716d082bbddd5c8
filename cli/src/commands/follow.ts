// SPDX-License-Identifier: Apache-2.0
import { Entry } from '@impound/contracts/entry.ts';
import { Progress } from '@impound/contracts/progress.ts';
import type { Client, Told } from '../client.ts';
import { EXIT } from '../exit-code.ts';
import { bytesText, type Printer } from '../printer.ts';
import { timelineLine } from '../timeline.ts';

/** Shows an acquisition as it goes and gives the exit code of its end. */
export async function follow(
  client: Client,
  acquisitionId: string,
  printer: Printer,
): Promise<number> {
  let last: Entry | undefined;
  let startedAt = '';
  for await (const told of client.follow(acquisitionId)) {
    printer.value({ event: told.event, ...told.data });
    const entry = entryOf(told);
    if (entry !== undefined) {
      startedAt ||= entry.recordedAt;
      if (last === undefined || entry.acqSeq > last.acqSeq) {
        printer.line(timelineLine(entry, startedAt));
        last = entry;
      }
    } else showProgress(told, printer);
  }
  return await exitCodeOf(client, acquisitionId);
}

function entryOf(told: Told): Entry | undefined {
  const entry = Entry.safeParse(told.data);
  return entry.success ? entry.data : undefined;
}

function showProgress(told: Told, printer: Printer): void {
  const progress = Progress.safeParse(told.data);
  if (!progress.success) return;
  const { phase, files, bytes } = progress.data;
  printer.doing(`collecting: ${files} files, ${bytesText(bytes)} (${phase})`);
}

const ENDINGS: Readonly<Record<string, number>> = {
  sealed: EXIT.ok,
  joined: EXIT.ok,
  failed: EXIT.failed,
  refused: EXIT.stopped,
  cancelled: EXIT.stopped,
  expired: EXIT.stopped,
};

/** The exit code that an acquisition's end stands for. */
export async function exitCodeOf(client: Client, acquisitionId: string): Promise<number> {
  const shown = await client.get<{ status: string; partial?: boolean }>(
    `/v1/acquisitions/${acquisitionId}`,
  );
  if (shown.status === 'sealed' && shown.partial === true) return EXIT.partial;
  return ENDINGS[shown.status] ?? EXIT.failed;
}
