// SPDX-License-Identifier: Apache-2.0
import { BUS_IDENTITIES, busRights, inboxPrefix } from '@impound/contracts/bus-rights.ts';
import { plansOf } from '@impound/contracts/streams.ts';

const MARK = '<!-- From here on made by `npm run generate` from contracts/src/bus-rights.ts -->';

/** docs/bus.md: its own words, and behind the mark who may do what, as the parties give it. */
export function busDocument(before: string): string {
  const words = before.slice(0, before.indexOf(MARK)).trimEnd();
  return [
    words,
    '',
    MARK,
    '',
    '| identity | publishes | listens to |',
    '|---|---|---|',
    ...BUS_IDENTITIES.map(row),
    '',
    `Beside that each listens to its own inbox, \`${inboxPrefix('NAME')}.>\`, and each service to`,
    '`$SRV.{PING,INFO,STATS}` of its own name. Who hears an event pulls it by `CONSUMER.INFO`,',
    '`CONSUMER.MSG.NEXT` and `$JS.ACK` of its own durables alone. Whoever was asked answers once.',
    '',
  ].join('\n');
}

const PREFIX = /^impound\.v1\./;
const FOLDED = /^\$JS\.(ACK|API\.CONSUMER)|^\$SRV|^_INBOX/;
const LAYS = '`$JS.API.CONSUMER.{INFO,CREATE}` of every durable';

function row(identity: string): string {
  const { publish, subscribe } = busRights(identity);
  const durables = plansOf(identity).map(({ durable }) => `\`${durable}\``);
  const hears = durables.length === 0 ? [] : [`durables: ${durables.join(', ')}`];
  const consumers = identity === 'ledger' ? [LAYS] : [];
  const looks = identity === 'operator' ? publish.filter((one) => FOLDED.test(one)) : [];
  const says = [...publish.filter((one) => !FOLDED.test(one)), ...looks].map(code);
  const listens = subscribe.filter((one) => !FOLDED.test(one)).map(code);
  const [out, into] = [
    [...says, ...consumers],
    [...listens, ...hears],
  ];
  return `| ${identity} | ${out.join('<br>')} | ${into.join('<br>') || '-'} |`;
}

/** Without the prefix that all of ours have; behind the space the queue group. */
function code(subject: string): string {
  return `\`${subject.replace(PREFIX, '')}\``;
}
