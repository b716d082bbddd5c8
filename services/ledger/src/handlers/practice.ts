// SPDX-License-Identifier: Apache-2.0
import { nounVerb } from '@impound/contracts/event.ts';
import { EVENTS } from '@impound/contracts/events.ts';
import { PARTIES } from '@impound/contracts/parties.ts';
import { type Exercise, specimenOf } from '@impound/runtime/practice.ts';
import { eventBytes } from '@impound/runtime/say.ts';
import { readSay } from '../domain/say.ts';

/** Reads what each service says, as it comes through the door. */
export async function readingAll(): Promise<readonly Exercise[]> {
  return Object.entries(PARTIES).flatMap(([service, { says }]) =>
    EVENTS.filter(({ type }) => service !== 'ledger' && says.includes(type)).map((contract) => {
      const saying = specimenOf(contract);
      const [noun, verb] = nounVerb(contract.type);
      const bytes = eventBytes(saying, `/impound/${service}/practice`);
      const { tenant } = saying;
      const said = { service, tenant, noun, verb, bytes, expectedVersion: undefined };
      return () => readSay(said);
    }),
  );
}
