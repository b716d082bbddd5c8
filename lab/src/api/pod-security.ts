// SPDX-License-Identifier: Apache-2.0
import type { PodRecord } from '../pods/pod-record.ts';
import type { World } from '../world.ts';
import { isRecord, type JsonRecord } from './json.ts';
import { ApiStatus } from './status.ts';

const ENFORCE = 'pod-security.kubernetes.io/enforce';
/** What baseline lets a container add; SYS_PTRACE is not among them. */
const ADDABLE = new Set(
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID'
    .concat(' SETPCAP SETUID SYS_CHROOT')
    .split(' '),
);

/**
 * Refuses new ephemeral containers (as they were sent) that the namespace's Pod Security level does
 * not allow. What the pod's other containers do is not looked at, nor what they inherit.
 */
export function admitEphemeral(world: World, pod: PodRecord, sent: readonly JsonRecord[]): void {
  const namespace = world.objects('namespaces').find((one) => one.metadata.name === pod.namespace);
  const level = namespace?.metadata.labels?.[ENFORCE];
  if (level !== 'baseline' && level !== 'restricted') return;
  const violations = sent.flatMap((one) => violationsOf(one, level));
  if (violations.length === 0) return;
  const { name } = pod.spec;
  const why = `violates PodSecurity "${level}:latest": ${violations.join(', ')}`;
  const details = { name, kind: 'pods' };
  throw new ApiStatus(403, 'Forbidden', `pods "${name}" is forbidden: ${why}`, details);
}

function violationsOf(sent: JsonRecord, level: 'baseline' | 'restricted'): string[] {
  const context = record(sent['securityContext']);
  const capabilities = record(context['capabilities']);
  const own = `container "${String(sent['name'])}"`;
  const added = list(capabilities['add']).filter((one) => !ADDABLE.has(one));
  const names = added.map((one) => `"${one}"`).join(', ');
  const set = 'securityContext.';
  const baseline = [
    context['privileged'] === true && `privileged (${own} must not set ${set}privileged=true)`,
    added.length > 0 &&
      `non-default capabilities (${own} must not include ${names} in ${set}capabilities.add)`,
  ];
  const profile = record(context['seccompProfile'])['type'];
  const restricted = [
    context['allowPrivilegeEscalation'] !== false &&
      `allowPrivilegeEscalation != false (${own} must set ${set}allowPrivilegeEscalation=false)`,
    !list(capabilities['drop']).includes('ALL') &&
      `unrestricted capabilities (${own} must set ${set}capabilities.drop=["ALL"])`,
    context['runAsNonRoot'] !== true &&
      `runAsNonRoot != true (pod or ${own} must set ${set}runAsNonRoot=true)`,
    context['runAsUser'] === 0 && `runAsUser=0 (${own} must not set runAsUser=0)`,
    profile !== 'RuntimeDefault' &&
      profile !== 'Localhost' &&
      `seccompProfile (pod or ${own} must set ${set}seccompProfile.type to "RuntimeDefault" or ` +
        '"Localhost")',
  ];
  const all = level === 'baseline' ? baseline : [...baseline, ...restricted];
  return all.filter((one) => one !== false);
}

function record(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
