// SPDX-License-Identifier: Apache-2.0
import type { Entry } from '@impound/contracts/entry.ts';
import { HEARTBEAT_MS, LEASE_MS } from '@impound/contracts/progress.ts';
import { wait } from '@impound/runtime/wait.ts';
import { audit } from './fleet/audit.ts';
import { podNames } from './fleet/cluster.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { leaderOf } from './fleet/leader.ts';
import { midway } from './fleet/midway.ts';

/** What stands still holds its connections: nobody is told that it is gone. */
export const zombie: Drill = {
  sentence:
    'Freezes an executor past its lease, a coordinator, the leading ledger and the uploader, and ' +
    'wakes them again.',
  run: async (stage) => {
    const replicas = { ledger: 2, 'executor-kubernetes': 2 };
    await using fleet = await startFleet({ pods: podNames(5, 1), replicas }, stage.signal);
    const parts = [frozenLedger, frozenUploader, frozenCoordinator, frozenExecutor];
    const findings: string[] = [];
    for (const part of parts) findings.push(...(await part(fleet, stage)));
    const audited = await audit(fleet, stage.signal);
    for (const line of auditLines(audited)) stage.tell(line);
    const late = audited.late.map((one) => `touched after its epoch: ${JSON.stringify(one)}`);
    return [...findings, ...audited.findings, ...late];
  },
};

/** Whatever is not so is a finding. */
function findings(...facts: readonly (readonly [boolean, string])[]): string[] {
  return facts.flatMap(([so, text]) => (so ? [] : [text]));
}

const typesOf = (chain: readonly Entry[]) => chain.map(({ event }) => event.type).join(', ');
const epochsOf = (chain: readonly Entry[]) =>
  chain.filter(({ event }) => event.type === 'execution.started.v1').length;
const AWAKE_MS_MAX = HEARTBEAT_MS + 2_000;
const FENCED_MS_MAX = 60_000;

async function frozenExecutor(fleet: Fleet, stage: Stage): Promise<string[]> {
  const { id, holder, goOn } = await midway(fleet, 'shell-3', stage.signal);
  holder.freeze();
  goOn();
  const end = await fleet.tap.ended(id, stage.signal);
  const before = (await fleet.tap.chain(id)).length;
  // Longer than any lease: its connection to the bus is given up meanwhile, too.
  if (stage.full) await wait(2 * LEASE_MS, stage.signal);
  const wokenMs = Date.now();
  holder.thaw();
  const limit = AbortSignal.any([stage.signal, AbortSignal.timeout(FENCED_MS_MAX)]);
  const fenced = await fleet.tap.later(id, 'execution.fenced.v1', limit).catch(() => undefined);
  const chain = await fleet.tap.chain(id);
  const afterMs = Date.parse(fenced?.recordedAt ?? '') - wokenMs;
  const lapsed = chain.find(({ event }) => event.type === 'execution.lapsed.v1')?.recordedAt ?? '';
  const until = String(fenced?.event.data['refusedAt'] ?? '');
  const refused = fenced?.event.data['refusedData'] as Refused | undefined;
  stage.tell(`executor: ${end.event.type}, ${epochsOf(chain)} epochs; fenced after ${afterMs} ms`);
  stage.tell(`executor: lapsed ${lapsed}, spoke ${until}: ${JSON.stringify(refused?.footprint)}`);
  return findings(
    [end.event.type === 'acquisition.sealed.v1', `executor: ended with ${end.event.type}`],
    [epochsOf(chain) === 2, `executor: ${typesOf(chain)}`],
    [!stage.clocked || afterMs <= AWAKE_MS_MAX, `executor: fenced ${afterMs} ms after it woke`],
    [refused?.footprint.touched === true, 'executor: what it did is not on record'],
    [until > lapsed, `executor: not said until when it may have gone on: ${until}`],
    [chain.length === before + 1, `executor: the end was not the end: ${typesOf(chain)}`],
  );
}

interface Refused {
  readonly footprint: { readonly touched: boolean };
}

/** Longer than the lease: who was cut off must not take others for dead. */
async function frozenCoordinator(fleet: Fleet, stage: Stage): Promise<string[]> {
  const { id, goOn } = await midway(fleet, 'shell-2', stage.signal);
  const [coordinator] = fleet.of('coordinator');
  coordinator?.freeze();
  await wait(LEASE_MS + HEARTBEAT_MS, stage.signal);
  coordinator?.thaw();
  goOn();
  const end = await fleet.tap.ended(id, stage.signal);
  const chain = await fleet.tap.chain(id);
  stage.tell(`coordinator: ${end.event.type}, ${epochsOf(chain)} epochs`);
  return findings(
    [end.event.type === 'acquisition.sealed.v1', `coordinator: ${end.event.type}`],
    [epochsOf(chain) === 1, `coordinator: took a living worker for dead: ${typesOf(chain)}`],
  );
}

async function frozenUploader(fleet: Fleet, stage: Stage): Promise<string[]> {
  const { id, goOn } = await midway(fleet, 'shell-1', stage.signal);
  const [uploader] = fleet.of('uploader');
  uploader?.freeze();
  goOn();
  await wait(stage.full ? LEASE_MS : HEARTBEAT_MS, stage.signal);
  uploader?.thaw();
  const end = await fleet.tap.ended(id, stage.signal);
  const chain = await fleet.tap.chain(id);
  stage.tell(`uploader: ${end.event.type}, ${epochsOf(chain)} epochs`);
  return findings(
    [end.event.type === 'acquisition.sealed.v1', `uploader: ${end.event.type}`],
    [epochsOf(chain) === 1, `uploader: ${typesOf(chain)}`],
  );
}

/**
 * The database gives the pen to another after 10 s, the bus asks the frozen one no more after 15 s;
 * beside that, what it was asked last is asked again, and each of three services may have asked it.
 */
const TAKEN_OVER_MS_MAX = 60_000;

async function frozenLedger(fleet: Fleet, stage: Stage): Promise<string[]> {
  const { id, goOn } = await midway(fleet, 'shell-0', stage.signal);
  const leader = await leaderOf(fleet);
  const frozenMs = Date.now();
  leader.freeze();
  goOn();
  const end = await fleet.tap.ended(id, stage.signal);
  const ms = Date.parse(end.recordedAt) - frozenMs;
  const next = await leaderOf(fleet);
  leader.thaw();
  // It finds out that it leads no more, and another request is served as if nothing had been.
  const later = await fleet.order('shell-4');
  const second = await fleet.tap.ended(later, stage.signal);
  stage.tell(`ledger: ${end.event.type} by the other one ${ms} ms after the freeze`);
  return findings(
    [end.event.type === 'acquisition.sealed.v1', `ledger: ${end.event.type}`],
    [!stage.clocked || ms <= TAKEN_OVER_MS_MAX, `ledger: nobody took over for ${ms} ms`],
    [next.name !== leader.name, 'ledger: the frozen one leads still'],
    [second.event.type === 'acquisition.sealed.v1', `ledger: then ${second.event.type}`],
  );
}
