// SPDX-License-Identifier: Apache-2.0
import { AcquisitionRefusedV1 } from '@impound/contracts/acquisition/refused.v1.ts';
import type { Acquisition } from '@impound/contracts/chain.ts';
import { EvidenceAccessedV1 } from '@impound/contracts/evidence/accessed.v1.ts';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { EvidenceRejectedV1 } from '@impound/contracts/evidence/rejected.v1.ts';
import { EvidenceStoredV1 } from '@impound/contracts/evidence/stored.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { ExecutionStartedV1 } from '@impound/contracts/execution/started.v1.ts';
import type { Method, Verdict } from '@impound/contracts/methods.ts';
import { childId } from '@impound/runtime/ids.ts';
import { decide } from '../src/domain/decide.ts';
import type { Decision } from '../src/domain/decision.ts';
import { phaseOf } from '../src/domain/phase.ts';
import { type ModelLedger, type ModelReply, type ModelSay, modelLedger } from './model-ledger.ts';
import {
  approved,
  at,
  BEGIN_MS,
  cancelling,
  checked,
  type Fact,
  fact,
  kept,
  missing,
  requested,
  resolved,
  told,
  unapproved,
} from './story.ts';

/** Everybody who speaks about one acquisition, moved by bytes: what happens, and how. */
export interface ModelWorld {
  readonly ledger: ModelLedger;
  nowMs(): number;
  pass(milliseconds: number): void;
  act(kind: number, how: number): void;
  /** One coordinator decides and says; its clock may be wrong by this much. */
  coordinate(skewMs: number): Decision;
}

const LADDERS: readonly (readonly (readonly [Method, Verdict])[])[] = [
  [],
  [['exec-stream', 'denied']],
  [['exec-stream', 'allowed']],
  [
    ['exec-stream', 'denied'],
    ['ephemeral-container', 'unknown'],
    ['node-volume', 'allowed'],
  ],
  [
    ['exec-stream', 'allowed'],
    ['ephemeral-container', 'allowed'],
    ['run-command', 'unknown'],
    ['node-volume', 'allowed'],
  ],
];
const PASSES_MS = [0, 1, 900, 2_000, 6_000, 15_000, 31_000, 240_000];
const SKEWS_MS = [0, 0, -40_000, 40_000];
const METHODS: readonly (readonly Method[] | undefined)[] = [
  undefined,
  undefined,
  ['ephemeral-container', 'exec-stream'],
];

/** So many of the acts do what the acquisition needs next, lest every history is chaos. */
const HELPFUL = 12;

/** What a world shows: each entry that was taken with the state before it, and each answer. */
export interface Witness {
  recorded(before: Acquisition, say: ModelSay): void;
  answered(say: ModelSay, reply: ModelReply): void;
}

/** A world in which the request was just made. */
export function modelWorld(seed: number, witness: Witness): ModelWorld {
  const ledger = modelLedger(witness.recorded);
  const heard = new Map<number, number>();
  const said: ModelSay[] = [];
  const late: ModelSay[] = [];
  let nowMs = BEGIN_MS;
  const others: Acquisition[] = [];
  const pass = (milliseconds: number): void => {
    nowMs += milliseconds;
  };
  const say = (one: ModelSay): void => {
    said.push(one);
    witness.answered(one, ledger.say(one, nowMs));
  };
  const tell = (one: Fact): void =>
    say({
      id: childId('actor', one.contract.type, String(said.length)),
      contract: one.contract,
      data: one.data as Record<string, unknown>,
    });
  const decideNow = (skewMs: number): Decision => {
    const heardMs = { lastHeardMs: (epoch: number) => heard.get(epoch) };
    return decide(ledger.state(), at(nowMs - BEGIN_MS + skewMs, { ...heardMs, others }));
  };
  const coordinate = (skewMs: number): Decision => {
    const decision = decideNow(skewMs);
    for (const one of sayingOf(ledger.state(), decision)) say(one);
    return decision;
  };
  const epoch = (how: number): number => {
    const last = ledger.state().executions.length;
    return Math.max(1, how % 8 === 7 ? last - 1 : last);
  };
  const acts: readonly ((how: number) => void)[] = [
    (how) => pass(pick(PASSES_MS, how)),
    (how) => void coordinate(pick(SKEWS_MS, how)),
    (how) => void coordinate(pick(SKEWS_MS, how)),
    (how) => void late.push(...sayingOf(ledger.state(), decideNow(pick(SKEWS_MS, how)))),
    (how) => late.splice(how % (late.length + 1), 1).forEach(say),
    (how) => tell(how % 8 === 0 ? missing() : resolved()),
    () => tell(kept()),
    (how) => tell(checked(...pick(LADDERS, how))),
    (how) => tell(how % 16 === 0 ? fact(AcquisitionRefusedV1) : approved()),
    (how) => (how % 4 === 0 ? tell(cancelling()) : undefined),
    (how) => tell(fact(ExecutionStartedV1, { epoch: epoch(how), worker: worker(how >> 3) })),
    (how) => tell(resultOf(how, epoch(how >> 3))),
    (how) => void heard.set(epoch(how), nowMs),
    (how) => tell(storageOf(how, epoch(how >> 3))),
    (how) =>
      said
        .slice(how % said.length)
        .slice(0, 1)
        .forEach(say),
    () => tell(fact(EvidenceAccessedV1)),
    (how) =>
      void others.splice(0, 1, ...(how % 4 === 0 ? [told(requestOf(seed), approved())] : [])),
    ...Array<(how: number) => void>(HELPFUL).fill((how) => {
      const next = helpful(ledger.state(), how);
      if (next === undefined) coordinate(0);
      else tell(next);
    }),
  ];
  tell(requestOf(seed));
  return {
    ledger,
    nowMs: () => nowMs,
    pass,
    act: (kind, how) => pick(acts, kind)(how),
    coordinate,
  };
}

/** What a coordinator says: the id follows from the chain, as it does over the bus. */
function sayingOf({ lastId, version }: Acquisition, { say }: Decision): readonly ModelSay[] {
  if (say === undefined) return [];
  const data = say.data as Record<string, unknown>;
  const id = childId(lastId, say.contract.type);
  return [{ id, contract: say.contract, data, expectedVersion: version }];
}

/** What the one whose turn it is would say; undefined: it is the coordinator's turn. */
function helpful(state: Acquisition, how: number): Fact | undefined {
  if (!state.target) return resolved();
  if (!state.access) return checked(...pick(LADDERS.slice(2), how));
  if (!state.approved) return approved();
  if (!state.contextStored && how % 2 === 0) return kept();
  const last = state.executions.at(-1);
  if (last === undefined) return undefined;
  const { epoch } = last.assigned;
  if (phaseOf(last) === 'assigned') return fact(ExecutionStartedV1, { epoch, worker: worker(0) });
  if (phaseOf(last) === 'claimed') return resultOf(how % 8, epoch);
  if (phaseOf(last) === 'captured') return storageOf(how, epoch);
  return state.contextStored ? undefined : kept();
}

function requestOf(seed: number): Fact {
  const methods = pick(METHODS, seed >> 2);
  const request = methods === undefined ? {} : { methods: [...methods] };
  return seed % 4 === 0 ? unapproved(request) : requested(request);
}

function resultOf(how: number, epoch: number): Fact {
  const who = { epoch, worker: worker(how >> 3) };
  if (how % 4 === 0) return fact(ExecutionFailedV1, { ...who, permanent: true });
  if (how % 4 === 1) return fact(ExecutionFailedV1, { ...who, permanent: false });
  return fact(EvidenceCapturedV1, who);
}

function storageOf(how: number, epoch: number): Fact {
  if (how % 4 === 0) return fact(EvidenceRejectedV1, { epoch });
  const [object] = EvidenceStoredV1.example.objects;
  if (how % 4 === 1 && object) {
    return fact(EvidenceStoredV1, { epoch, objects: [{ ...object, sha256: 'f'.repeat(64) }] });
  }
  return fact(EvidenceStoredV1, { epoch });
}

function worker(how: number): ExecutionStartedV1['worker'] {
  return `k8s-${how % 8 === 7 ? 2 : 1}` as ExecutionStartedV1['worker'];
}

function pick<T>(values: readonly T[], how: number): T {
  return values[how % values.length] as T;
}
