// SPDX-License-Identifier: Apache-2.0
import type { Execution } from '@impound/contracts/chain.ts';
import { formatTarget } from '@impound/contracts/target.ts';
import type { Account, Recorded } from './account.ts';
import { holdingOf } from './case-uco.ts';
import { actorOf, detail, purposeOf } from './telling.ts';

/** A heading with facts under it: pairs of a name and a value. */
export interface Chapter {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
}

const ENTRIES_MAX = 2_000;

/** What a report tells of an acquisition, chapter by chapter. */
export function chapters(account: Account): Chapter[] {
  return [
    { title: 'Acquisition', facts: acquisition(account) },
    { title: 'Source', facts: source(account) },
    { title: 'Authority', facts: authority(account) },
    ...account.state.executions.map((one) => ({
      title: `Collection, epoch ${one.assigned.epoch}`,
      facts: collection(one),
    })),
    ...account.exhibits.map((exhibit) => ({
      title: `Exhibit ${exhibit.number}`,
      facts: facts({
        name: exhibit.name,
        bytes: String(exhibit.bytes),
        'SHA-256': exhibit.sha256,
        held: holdingOf(exhibit),
      }),
    })),
    ...timeline(account.entries),
  ];
}

function acquisition({ state, entries }: Account) {
  const sealed = state.ended?.data as { partial?: boolean } | undefined;
  const how = sealed?.partial === true ? ', partial: it ended before all was tried' : '';
  return facts({
    acquisition: state.acquisitionId,
    case: state.request?.caseId,
    tenant: state.tenant,
    requested: state.requestedAt,
    ended: state.ended && `${state.ended.type} ${state.ended.at}${how}`,
    entries: String(entries.length),
    'chain head': entries.at(-1)?.leaf,
  });
}

function source({ state }: Account) {
  const target = state.target?.target ?? state.request?.target;
  const container = state.target?.container;
  return facts({
    target: target && formatTarget(target),
    'pod UID': container?.podUid,
    'container id': container?.containerId,
    image: container?.image,
    'image digest': container?.imageDigest,
    node: container?.node,
    runtime: container?.runtime,
    'started at': container?.startedAt,
  });
}

const AUTHORITY = /^(acquisition\.(requested|approved|refused|denied)|cancellation\.)/;

function authority({ entries }: Account) {
  const decided = entries.filter(({ entry }) => AUTHORITY.test(entry.event.type));
  return decided.flatMap(({ entry }) => {
    const { id, kind, authn } = actorOf(entry);
    const { policy, onBehalfOf } = entry.event.data as Record<string, unknown>;
    return facts({
      [entry.event.type]: `${entry.recordedAt} by ${kind} ${id} (${authn}): ${purposeOf(entry)}`,
      'on behalf of': typeof onBehalfOf === 'string' ? onBehalfOf : undefined,
      decision: (policy as { because?: string } | undefined)?.because,
    });
  });
}

function collection({ assigned, started, captured, failed, overAt }: Execution) {
  const { collector } = started ?? {};
  return facts({
    method: `${assigned.method} by ${assigned.executor}`,
    worker: started?.worker,
    tool: collector && `${collector.name} ${collector.version}, SHA-256 ${collector.sha256}`,
    profile: assigned.profile,
    started: captured?.startedAt,
    ended: captured?.endedAt ?? overAt,
    failed: failed && `${failed.code}: ${failed.because}`,
    'Known effects on the source': effects(captured?.footprint ?? failed?.footprint),
  });
}

type Footprint = NonNullable<Execution['captured']>['footprint'];

function effects(footprint: Footprint | undefined): string {
  if (footprint === undefined) return 'not on record';
  if (!footprint.touched) return 'none: nothing was sent to it';
  const { processesStarted, filesRead, filesWritten, bytesSent, notes } = footprint;
  const counts =
    `${processesStarted} processes started, ${filesRead} files read, ` +
    `${filesWritten} files written, ${bytesSent} bytes sent`;
  return [counts, ...notes].join('; ');
}

function timeline(entries: readonly Recorded[]): Chapter[] {
  const told = entries.slice(0, ENTRIES_MAX).map(({ entry, leaf }) => ({
    title: `Entry ${entry.acqSeq}: ${entry.event.type}`,
    facts: facts({
      recorded: entry.recordedAt,
      claimed: entry.event.time,
      'said by': entry.event.source,
      what: detail(entry.event.type, entry.event.data),
      'leaf hash': leaf,
    }),
  }));
  const left = entries.length - told.length;
  if (left === 0) return told;
  const more = `${left} more entries are not printed here; the chain file has all of them`;
  return [...told, { title: 'Further entries', facts: [['', more]] }];
}

function facts(of: Readonly<Record<string, string | undefined>>): [string, string][] {
  return Object.entries(of).filter((fact): fact is [string, string] => fact[1] !== undefined);
}
