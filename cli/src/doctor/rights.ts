// SPDX-License-Identifier: Apache-2.0
import {
  DIGEST_RIGHTS,
  DISCOVERY_RIGHTS,
  METHOD_RIGHTS,
  type Right,
} from '@impound/contracts/permissions.ts';
import type { HeldRule } from '@impound/kubernetes/held.ts';

/** Whose account it is: what it needs differs. */
export type Purpose = 'executor' | 'discovery';

const READS = ['get', 'list', 'watch'];
/** What everybody who is known may do: ask what they may do. */
const REVIEWS = ['authorization.k8s.io', 'authentication.k8s.io'];

function needed(purpose: Purpose): readonly Right[] {
  if (purpose === 'discovery') return DISCOVERY_RIGHTS;
  return Object.values(METHOD_RIGHTS).flat();
}

/** What an account may do beyond what it needs, as people write rights: `get secrets`. */
export interface Excess {
  /** Lets whoever steals the account read secrets, change the cluster or take it over. */
  readonly dangerous: readonly string[];
  /** Lets it see more than it needs. */
  readonly curious: readonly string[];
  /** Reads values of Secrets and ConfigMaps, which discovery only hashes. */
  readonly digests: readonly string[];
}

/** Compares rules with what the purpose needs; a wildcard is never needed. */
export function excessOf(rules: readonly HeldRule[], purpose: Purpose): Excess {
  const held = [...new Set(rules.flatMap(single))].toSorted();
  const beyond = held.filter((right) => !isNeeded(right, needed(purpose)));
  const digests =
    purpose === 'discovery' ? beyond.filter((right) => isNeeded(right, DIGEST_RIGHTS)) : [];
  const others = beyond.filter((right) => !digests.includes(right));
  const dangerous = others.filter(isDangerous);
  return { dangerous, digests, curious: others.filter((right) => !dangerous.includes(right)) };
}

/** One text for each verb, group and resource of a rule: `create pods/exec`, `get jobs.batch`. */
function single({ verbs, groups, resources }: HeldRule): string[] {
  return groups
    .filter((group) => !REVIEWS.includes(group))
    .flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
      ),
    );
}

/** Whoever may get a thing may see it as well by another verb. */
function isNeeded(held: string, rights: readonly Right[]): boolean {
  const [verb = '', what = ''] = held.split(' ');
  return rights.some((right) => {
    if (nameOf(right) !== what) return false;
    return right.verb === verb || (READS.includes(right.verb) && READS.includes(verb));
  });
}

function nameOf({ group, resource, subresource }: Right): string {
  const path = subresource === undefined ? resource : `${resource}/${subresource}`;
  return group === '' ? path : `${path}.${group}`;
}

function isDangerous(held: string): boolean {
  const [verb = '', what = ''] = held.split(' ');
  if (!READS.includes(verb)) return true;
  return /^(\*|secrets|nodes\/proxy|pods\/(exec|attach|portforward|proxy))/.test(what);
}
