// SPDX-License-Identifier: Apache-2.0
import { tool } from './tools.ts';

// What container runtimes grant by default (0xa80425fb).
const DEFAULT_CAPABILITIES = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'net_bind_service',
  'net_raw',
  'sys_chroot',
  'mknod',
  'audit_write',
  'setfcap',
];

/** Who a process in a container is and what it may do. */
export interface Confinement {
  readonly user: number;
  readonly group: number;
  readonly workingDir: string;
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

/**
 * The program prefix that changes root, user and capabilities. It is run with the host's programs
 * in reach and the container's root as working directory, which a container may not have either.
 */
export function confine(
  confinement: Confinement,
  node: { readonly mapped: boolean; readonly joins?: number },
): string[] {
  const { user, group, workingDir } = confinement;
  if (node.mapped && user !== 0) return asMappedUser(confinement, node.joins);
  const enter = [tool('unshare'), '--root=.', `--wd=${workingDir}`];
  // Another user loses its capabilities by becoming it; root must have its groups set before.
  const groups = node.mapped ? [] : ['--clear-groups', `--regid=${group}`];
  if (user === 0) return [tool('setpriv'), ...groups, ...capabilities(confinement, []), ...enter];
  const bounds = capabilities(confinement, ['setuid', 'setgid']);
  const who = [`--setgid=${group}`, `--setuid=${user}`];
  return [tool('setpriv'), ...bounds, ...enter, ...who];
}

// Without root only one user id can be mapped, so another one takes a second user namespace.
function asMappedUser(confinement: Confinement, joins: number | undefined): string[] {
  const { user, group, workingDir } = confinement;
  if (joins === undefined) {
    const map = ['--user', `--map-user=${user}`, `--map-group=${group}`];
    return [tool('unshare'), ...map, '--root=.', `--wd=${workingDir}`];
  }
  const join = ['--target', String(joins), '--user', '--preserve-credentials'];
  return [tool('nsenter'), ...join, '--root=.', `--wd=.${workingDir}`];
}

function capabilities(confinement: Confinement, needed: readonly string[]): string[] {
  // An empty list of options would make setpriv do nothing at all, which it refuses.
  if (confinement.privileged) return ['--inh-caps=-all'];
  const plain = (name: string): string => name.toLowerCase().replace(/^cap_/, '');
  const dropped = new Set(confinement.drop.map(plain));
  const kept = dropped.has('all') ? [] : DEFAULT_CAPABILITIES.filter((one) => !dropped.has(one));
  // NOTE: changing root needs sys_chroot, so a container that drops ALL keeps this one.
  const all = new Set([...kept, ...confinement.add.map(plain), ...needed, 'sys_chroot']);
  const set = ['-all', ...[...all].map((one) => `+${one}`)].join(',');
  return [`--bounding-set=${set}`];
}
