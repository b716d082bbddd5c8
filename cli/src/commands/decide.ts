// SPDX-License-Identifier: Apache-2.0
import { openClient } from '../client.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { idOf } from './look.ts';
import { reachRecords } from './reach.ts';

/** Approves, refuses or cancels an acquisition; the reason goes on record. */
export const decide: Command = async (here, signal) => {
  const id = idOf(here);
  const { command } = here.args;
  const reason = here.args.needed('reason');
  await using platform = await reachRecords(here, signal);
  const client = openClient(platform.access, signal);
  await client.post(`/v1/acquisitions/${id}/${command}`, { reason });
  here.printer.value('decision', { acquisitionId: id, decision: command });
  here.printer.line(`on record: ${command} ${id}; next: impound watch ${id}`);
  return EXIT.ok;
};
