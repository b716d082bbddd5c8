// SPDX-License-Identifier: Apache-2.0
import type { Policy, PolicyWitness } from './policy.ts';

/** Labels of a host name that say whose it is: example.net of witness.example.net. */
const LABELS = 2;

/**
 * Who runs a witness, as far as its name tells: the end of the host in the name of its key, else in
 * its address. One whose name tells of nobody is somebody of its own.
 */
export function operatorOf({ name, vkey, url }: PolicyWitness): string {
  const host = hostOf(vkey?.name) ?? hostOf(url?.replace(/^[a-z]+:\/\//, ''));
  return host?.split('.').slice(-LABELS).join('.') ?? name;
}

/** The operator of a log, from its origin. */
export function operatorOfLog(origin: string): string | undefined {
  return hostOf(origin)?.split('.').slice(-LABELS).join('.');
}

function hostOf(name: string | undefined): string | undefined {
  const [host = ''] = (name ?? '').split(/[/:]/);
  // The name of a witness of sigsum is made of its key: it tells of no host.
  return host.includes('.') && host !== 'sigsum.org' ? host : undefined;
}

/** The operators of whom each alone can meet the quorum of a policy, by the names of witnesses. */
export function enoughAlone(policy: Policy): readonly string[] {
  const operators = Map.groupBy(policy.witnesses, operatorOf);
  return [...operators].flatMap(([operator, own]) =>
    policy.isQuorum(new Set(own.map(({ name }) => name))) ? [operator] : [],
  );
}
