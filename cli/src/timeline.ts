// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { serviceOf } from '@impound/contracts/envelope.ts';

/** One entry of a chain as a line for people: when, who, what. */
export function timelineLine(entry: Entry, startedAt: string): string {
  const { event } = entry;
  const seconds = (Date.parse(entry.recordedAt) - Date.parse(startedAt)) / 1_000;
  const when = `+${seconds.toFixed(3)}s`.padStart(10);
  const number = String(entry.acqSeq).padStart(3);
  const who = serviceOf(event.source).padEnd(20);
  const what = event.type.replace(/\.v\d+$/, '').padEnd(24);
  return `${number} ${when}  ${who} ${what} ${detail(event.type, event.data)}`.trimEnd();
}

const DETAIL_CHARACTERS_MAX = 480;

type Data = Readonly<Record<string, unknown>>;

function detail(type: string, data: Data): string {
  const said = told(type, data) ?? String(data['because'] ?? data['reason'] ?? '');
  return said.length > DETAIL_CHARACTERS_MAX ? `${said.slice(0, DETAIL_CHARACTERS_MAX)}…` : said;
}

/** Undefined where the data is not what the type promises: a line for people never fails. */
function told(type: string, data: Data): string | undefined {
  try {
    return DETAILS[type]?.(data as never);
  } catch {
    return undefined;
  }
}

interface Keyed {
  readonly key: string;
}

interface Counts {
  readonly got: number;
  readonly partial: number;
  readonly denied: number;
  readonly absent: number;
}

const DETAILS: Readonly<Record<string, (data: never) => string>> = {
  'target.resolved.v1': (d: { container: { image: string; state: string } }) =>
    `${d.container.state}, ${d.container.image}`,
  'access.checked.v1': (d: { ladder: { method: string; verdict: string }[] }) =>
    d.ladder.map((rung) => `${rung.method}: ${rung.verdict}`).join(', '),
  'acquisition.assigned.v1': (d: { method: string; executor: string; epoch: number }) =>
    `${d.method} by ${d.executor}, epoch ${d.epoch}`,
  'execution.started.v1': (d: { worker: string }) => `claimed by ${d.worker}`,
  'execution.failed.v1': (d: { code: string; because: string }) => `${d.code}: ${d.because}`,
  'evidence.captured.v1': (d: { coverage: Counts }) =>
    `${d.coverage.got} got, ${d.coverage.partial} partial, ${d.coverage.denied} denied, ` +
    `${d.coverage.absent} absent`,
  'evidence.stored.v1': (d: { objects: unknown[] }) =>
    `${d.objects.length} objects read back and verified`,
  'evidence.accessed.v1': (d: { accessedBy: { id: string }; purpose: string; objects: Keyed[] }) =>
    `${namesOf(d.objects)} to ${d.accessedBy.id}: ${d.purpose}`,
  'acquisition.sealed.v1': (d: { manifest: string; entries: number }) =>
    `${d.entries} entries, manifest ${d.manifest.slice(0, 16)}…`,
};

function namesOf(objects: readonly Keyed[]): string {
  return objects.map(({ key }) => key.split('/').at(-1)).join(', ');
}
