// SPDX-License-Identifier: Apache-2.0
import type { AccessCheckedV1 } from '@impound/contracts/access/checked.v1.ts';
import type { Method, Verdict } from '@impound/contracts/methods.ts';
import {
  METHOD_RIGHTS,
  type Right,
  rightsText,
  rightText,
} from '@impound/contracts/permissions.ts';
import type { TargetResolvedV1 } from '@impound/contracts/target/resolved.v1.ts';
import type { Target } from '@impound/contracts/target.ts';

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

/** The methods that each executor offers, by its route, best first. */
export const OFFERED: Readonly<Record<string, readonly Method[]>> = {
  kubernetes: ['exec-stream', 'ephemeral-container'],
};

const METHODS: readonly Method[] = [...new Set(Object.values(OFFERED).flat())];

/**
 * Every right that some method needs, each once. Without an image for ephemeral containers those
 * for them are not asked for: nobody should be told to grant what cannot be used.
 */
export function rightsNeeded(ephemeral: boolean): readonly Right[] {
  const methods = METHODS.filter((method) => ephemeral || method !== 'ephemeral-container');
  const rights = methods.flatMap((method) => METHOD_RIGHTS[method] ?? []);
  return [...new Map(rights.map((right) => [rightText(right), right])).values()];
}

/** What is known where nobody could be asked: nothing. */
export function unknownGrants(because: string): Grants {
  return new Map(
    rightsNeeded(true).map((right) => [
      rightText(right),
      { right, verdict: 'unknown', reason: because },
    ]),
  );
}

/** What a ladder is made for. */
export interface Sought {
  readonly target: Pick<Target, 'namespace'>;
  /** Undefined where it was not found: nothing of it stands in the way then. */
  readonly container: Container | undefined;
  /** The route of the cluster's executor; undefined where it is not known: each is offered then. */
  readonly executor: string | undefined;
  /** Whether an image for ephemeral containers is configured; undefined where that is not known. */
  readonly ephemeral: boolean | undefined;
}

/** Each method with its verdict and one plain sentence why. */
export function ladderFor(sought: Sought, grants: Grants): Rung[] {
  const { container, executor } = sought;
  const routes = executor === undefined ? Object.keys(OFFERED) : [executor];
  return routes.flatMap((route) =>
    offeredBy(route).map((method) => {
      const obstacle =
        routeObstacle(route) ?? stateObstacle(container) ?? ephemeralObstacle(method, sought);
      const { verdict, because } = obstacle ?? granted(method, sought, grants);
      const cut = because.slice(0, BECAUSE_CHARACTERS_MAX);
      return { method, executor: route, verdict, because: cut };
    }),
  );
}

const BECAUSE_CHARACTERS_MAX = 512;

interface Judgement {
  readonly verdict: Verdict;
  readonly because: string;
}

/** An executor that does not exist gets every rung, so that each can say why it is none. */
function offeredBy(route: string): readonly Method[] {
  return (Object.hasOwn(OFFERED, route) ? OFFERED[route] : undefined) ?? METHODS;
}

function routeObstacle(route: string): Judgement | undefined {
  if (Object.hasOwn(OFFERED, route)) return undefined;
  const known = Object.keys(OFFERED).join(', ');
  const because = `the list of clusters gives this one to executor ${route}; there are: ${known}`;
  return { verdict: 'denied', because };
}

function stateObstacle(container: Container | undefined): Judgement | undefined {
  if (container === undefined) return undefined;
  if (container.os === 'windows') {
    return { verdict: 'denied', because: 'the collector does not run in Windows containers' };
  }
  if (container.state !== 'terminated' && container.state !== 'waiting') return undefined;
  return {
    verdict: 'denied',
    because: `the container is ${container.state}: nothing can be run in it`,
  };
}

function ephemeralObstacle(
  method: Method,
  { container, ephemeral }: Sought,
): Judgement | undefined {
  if (method !== 'ephemeral-container') return undefined;
  if (ephemeral === false) {
    const because = 'no image for ephemeral containers is configured (EPHEMERAL_IMAGE)';
    return { verdict: 'denied', because };
  }
  if (container?.kind !== 'ephemeral') return undefined;
  const because = 'an ephemeral container cannot have another one beside it';
  return { verdict: 'denied', because };
}

/**
 * An image that looks distroless does not make exec unknown: that would put it behind the ephemeral
 * container, which stays in the pod for ever, while a try to exec leaves nothing.
 */
function granted(method: Method, { target, container }: Sought, grants: Grants): Judgement {
  const said = rightsVerdict(target, method, grants);
  const doubt = method === 'exec-stream' && container?.shell === 'unlikely';
  if (!doubt || said.verdict === 'denied') return said;
  const shell = 'the image looks distroless, and without a shell in it exec ends before it begins';
  return { ...said, because: `${said.because}; ${shell}` };
}

function rightsVerdict(target: Sought['target'], method: Method, grants: Grants): Judgement {
  const needed = (METHOD_RIGHTS[method] ?? []).map((right) => grants.get(rightText(right)));
  const place = `in namespace ${target.namespace}`;
  const denied = needed.filter((grant) => grant?.verdict === 'denied');
  if (denied.length > 0) {
    const names = rightsText(denied.map((grant) => grant?.right as Right));
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
