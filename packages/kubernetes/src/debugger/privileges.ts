// SPDX-License-Identifier: Apache-2.0
import type { Pod, PodContainer } from '../pod.ts';
import type { SecurityContext } from '../pod-object.ts';

/** Who a container's process is: as its pod asks for it, or as the kernel tells. */
export interface Identity {
  readonly user: number;
  readonly group: number;
  /** It holds capabilities that the same user would not get by default. */
  readonly capable: boolean;
  /** False where the image decides, so that this is the likeliest guess. */
  readonly certain: boolean;
}

/** A security context for a debugger, and what to call it in a sentence. */
export interface DebuggerProfile {
  readonly name: string;
  readonly securityContext: Readonly<Record<string, unknown>>;
}

/** What container runtimes give to root: chown, dac_override, … as a mask of the kernel. */
const DEFAULT_MASK = 0xa80425fbn;
const DEFAULT_NAMES: ReadonlySet<string> = new Set(
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW'
    .concat(' SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP')
    .split(' '),
);

/** The user of images that are made not to run as root, such as distroless `nonroot`. */
const NONROOT = 65_532;

/** What the pod says of its container. A user that is left out is the image's, mostly root. */
export function identityOf(pod: Pod, { securityContext: own }: PodContainer): Identity {
  const whole = pod.spec.securityContext ?? undefined;
  const guess = (own?.runAsNonRoot ?? whole?.runAsNonRoot) ? NONROOT : 0;
  const asked = own?.runAsUser ?? whole?.runAsUser;
  const group = own?.runAsGroup ?? whole?.runAsGroup;
  const user = asked ?? guess;
  return {
    user,
    group: group ?? (asked === undefined ? guess : 0),
    capable: user === 0 && isCapable(own),
    certain: asked === 0 || ![asked, group].includes(undefined),
  };
}

function isCapable(context: SecurityContext | undefined): boolean {
  const added = (context?.capabilities?.add ?? []).map((one) => one.replace(/^CAP_/i, ''));
  const more = added.some((one) => !DEFAULT_NAMES.has(one.toUpperCase()));
  return context?.privileged === true || more;
}

/** What the kernel says of a process, by the fields of /proc/PID/status. */
export function identityOfProcess(seen: {
  readonly user: number;
  readonly group: number;
  readonly capabilities: bigint;
}): Identity {
  const { user, group, capabilities } = seen;
  const granted = user === 0 ? DEFAULT_MASK : 0n;
  return { user, group, capable: (capabilities & ~granted) !== 0n, certain: true };
}

/**
 * The least that reads such a process, best first, for admission to choose from: the kernel lets
 * the same user and group read it if that holds no fewer capabilities, else SYS_PTRACE is needed.
 * None where only SYS_PTRACE would do and policy forbids it. See ptrace(2), access mode checking.
 */
export function profilesFor(who: Identity, ptraceAllowed: boolean): readonly DebuggerProfile[] {
  const ptrace = ptraceAllowed ? [TRACER] : [];
  if (who.capable) return ptrace;
  const same = who.user === 0 ? rootOf(who.group) : sameUser(who);
  // What is a guess may cost a second container that stays in the pod for ever.
  return who.certain ? [same] : [...ptrace, same];
}

function rootOf(group: number): DebuggerProfile {
  const context = { ...UNPRIVILEGED, runAsUser: 0, runAsGroup: group };
  return { name: 'root with default capabilities', securityContext: context };
}

const UNPRIVILEGED = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true };

/** Reads all and, without DAC_OVERRIDE, writes nothing that is not root's. */
const TRACER: DebuggerProfile = {
  name: 'root with SYS_PTRACE and DAC_READ_SEARCH only',
  securityContext: {
    ...UNPRIVILEGED,
    runAsUser: 0,
    runAsGroup: 0,
    capabilities: { drop: ['ALL'], add: ['SYS_PTRACE', 'DAC_READ_SEARCH'] },
  },
};

/** Also passes Pod Security level restricted. */
function sameUser({ user, group }: Identity): DebuggerProfile {
  return {
    name: `user ${user} and group ${group} without capabilities`,
    securityContext: {
      ...UNPRIVILEGED,
      runAsUser: user,
      runAsGroup: group,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}
