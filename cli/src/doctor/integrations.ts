// SPDX-License-Identifier: Apache-2.0
import type { Integration } from '@impound/contracts/integration.ts';
import { readIntegrations } from '../integrations.ts';
import { checkOf, examine, type Finding } from './finding.ts';

/** Looks at who may come in, and how far. */
export async function integrationFindings(file: string): Promise<readonly Finding[]> {
  const next =
    'mend the file, or let impound integration write it; the gateway has the last good one';
  return await examine('integrations', next, async () => {
    const { integrations } = await readIntegrations(file);
    return judged(integrations, Date.now());
  });
}

/** Programs are judged; a person answers for themselves. */
export function judged(integrations: readonly Integration[], now: number): readonly Finding[] {
  const check = checkOf('integrations');
  const live = integrations.filter(({ revokedAt }) => revokedAt === undefined);
  const findings = live.flatMap((one) => faultsOf(one, now));
  if (findings.length > 0) return findings;
  return [check.ok(`${live.length} may come in, each within its bounds`)];
}

function faultsOf(one: Integration, now: number): readonly Finding[] {
  const check = checkOf('integrations');
  const { id, kind, clusters, namespaces, approval, credentials, callback } = one;
  const valid = credentials.filter(
    ({ notAfter }) => notAfter === undefined || Date.parse(notAfter) > now,
  );
  const everywhere = clusters.includes('*') && namespaces.includes('*');
  return [
    ...(kind === 'integration' && everywhere && approval === 'never'
      ? [
          check.advice(
            `${id} may acquire from every cluster and namespace, and nobody has to approve it`,
            'bound it by --allow-cluster and --allow-namespace, or let a second person approve',
          ),
        ]
      : []),
    ...(valid.some((credential) => credential.kind === 'token' && credential.inUrl)
      ? [
          check.advice(
            `${id} shows its token in the path of a URL, which proxies write down`,
            'let it send a header or a signature, if it can: impound integration rotate',
          ),
        ]
      : []),
    ...(valid.length === 0
      ? [
          check.advice(
            `${id} has no credential that counts any more: it cannot come in`,
            `impound integration rotate ${id}, or revoke it`,
          ),
        ]
      : []),
    ...(callback?.url.startsWith('http:')
      ? [check.advice(`${id} is told by plain HTTP what became of it`, 'give it an https URL')]
      : []),
  ];
}
