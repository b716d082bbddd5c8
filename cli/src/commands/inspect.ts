// SPDX-License-Identifier: Apache-2.0
import { UploaderInspectV1 } from '@impound/contracts/ask/uploader.inspect.v1.ts';
import { openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { idOf } from './look.ts';
import { reachRecords } from './reach.ts';

/** Has the store asked again how it holds the evidence of an acquisition, on record. */
export async function inspect(here: Here, signal: AbortSignal): Promise<number> {
  const id = idOf(here);
  const reason = here.args.text('reason') ?? 'inspected by impound inspect';
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  const path = `/v1/acquisitions/${id}/inspect`;
  const { objects } = UploaderInspectV1.reply.parse(await client.post(path, { reason }));
  const differing = objects.flatMap(({ key, deviations }) =>
    deviations.map(({ code, because }) => `  ${code}: ${because} (${key})`),
  );
  here.printer.value('inspection', { acquisitionId: id, ok: differing.length === 0, objects });
  for (const line of differing) here.printer.line(line);
  if (differing.length > 0) {
    here.printer.line('NOT HELD AS ON RECORD: find out who changed it, and export what is there');
    return EXIT.findings;
  }
  const locks = objects.map(({ retention }) => retention?.mode ?? 'none');
  const locked = locks.filter((mode) => mode !== 'none').length;
  here.printer.line(`on record: ${objects.length} objects are held as they were, ${locked} locked`);
  return EXIT.ok;
}
