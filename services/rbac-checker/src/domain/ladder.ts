// SPDX-License-Identifier: Apache-2.0
import type { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import type { Method, Verdict } from '@impound/contracts/methods.ts';
import { METHOD_RIGHTS, type Right, rightText } from '@impound/contracts/permissions.ts';
import type { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { FoundTarget } from '@impound/contracts/target.ts';

/** What the cluster says of one right. */
export interface Grant {
  readonly right: Right;
  readonly verdict: Verdict;
  readonly reason: string;
}

/** The answers by the text of the right, e.g. "create pods/exec". */
export type Grants = ReadonlyMap<string, Grant>;

type Container = TargetResolvedV1['container'];
type Rung = AccessCheckedV1['ladder'][number];

/** The methods that an executor of this installation offers, best first. */
const OFFERED = [{ method: 'exec-stream', executor: 'kubernetes' }] as const satisfies readonly {
  method: Method;
  executor: string;
}[];

/** Every right that some offered method needs, each once. */
export const RIGHTS: readonly Right[] = [
  ...new Map(
    OFFERED.flatMap(({ method }) => METHOD_RIGHTS[method] ?? []).map((right) => [
      rightText(right),
      right,
    ]),
  ).values(),
];

/** What is known where nobody could be asked: nothing. */
export function unknownGrants(because: string): Grants {
  return new Map(
    RIGHTS.map((right) => [rightText(right), { right, verdict: 'unknown', reason: because }]),
  );
}

/** Each method with its verdict and one plain sentence why. */
export function ladderFor(target: FoundTarget, container: Container, grants: Grants): Rung[] {
  return OFFERED.map(({ method, executor }) => {
    const obstacle = stateObstacle(container) ?? shellObstacle(method, container);
    const { verdict, because } = obstacle ?? rightsVerdict(target, method, grants);
    return { method, executor, verdict, because: because.slice(0, BECAUSE_CHARACTERS_MAX) };
  });
}

const BECAUSE_CHARACTERS_MAX = 512;

interface Judgement {
  readonly verdict: Verdict;
  readonly because: string;
}

function stateObstacle(container: Container): Judgement | undefined {
  if (container.os === 'windows') {
    return { verdict: 'denied', because: 'the collector does not run in Windows containers' };
  }
  if (container.state !== 'terminated' && container.state !== 'waiting') return undefined;
  return {
    verdict: 'denied',
    because: `the container is ${container.state}: nothing can be run in it`,
  };
}

/** Only a guess by the image's name: so never a denial. */
function shellObstacle(method: Method, container: Container): Judgement | undefined {
  if (method !== 'exec-stream' || container.shell !== 'unlikely') return undefined;
  return {
    verdict: 'unknown',
    because: 'the image looks distroless: exec needs a shell in it, which only a try can tell',
  };
}

function rightsVerdict(target: FoundTarget, method: Method, grants: Grants): Judgement {
  const needed = (METHOD_RIGHTS[method] ?? []).map((right) => grants.get(rightText(right)));
  const place = `in namespace ${target.namespace}`;
  const denied = needed.filter((grant) => grant?.verdict === 'denied');
  if (denied.length > 0) {
    const names = denied.map((grant) => rightText(grant?.right as Right)).join(' and ');
    const verb = denied.length === 1 ? 'is' : 'are';
    return { verdict: 'denied', because: `${names} ${verb} not granted ${place}` };
  }
  const unknown = needed.find((grant) => grant?.verdict !== 'allowed');
  if (unknown !== undefined || needed.length === 0) {
    const reason = unknown?.reason ?? 'no rights are written down for this method';
    return { verdict: 'unknown', because: `not known whether it is granted ${place}: ${reason}` };
  }
  return { verdict: 'allowed', because: `everything it needs is granted ${place}` };
}
