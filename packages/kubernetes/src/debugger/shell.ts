// SPDX-License-Identifier: Apache-2.0
import { Later, Never } from '@impound/runtime/fault.ts';
import type { Clusters } from '../clusters.ts';
import type { ClusterConnection } from '../connection.ts';
import type { ExecRun } from '../exec.ts';
import type { Pod, PodContainer } from '../pod.ts';
import { getPod } from '../pods.ts';
import { type ContainerName, kubernetesShell } from '../shell.ts';
import { translated } from '../translated.ts';
import { type Debugger, debuggerIn, type Place } from './debugger.ts';
import { type Identity, identityOf, identityOfProcess, profilesFor } from './privileges.ts';
import { PROBE, readProbe, type Seen } from './scripts.ts';

/** What debuggers are made of. */
export interface DebuggerTerms {
  /** With sh, cat, ls, readlink and sleep; by digest, so that it is known what ran. */
  readonly image: string | undefined;
  /** Whether SYS_PTRACE may be asked for where nothing less reads the target. */
  readonly ptraceAllowed: boolean;
}

/** One try: the debugger gets this name, and ends after so long by itself. */
export interface DebuggerAttempt {
  readonly name: string;
  readonly msMax: number;
}

/** A run beside the target, which sees the target's root below `root`. */
export interface BesideRun extends ExecRun {
  readonly root: string;
}

/**
 * A shell for containers that have none: an ephemeral container beside the target, which joins its
 * processes and reads its files. For one attempt: `notes` tells what was changed in the pod. Its
 * faults are Never and Later: those of `addEphemeralContainer` and `ephemeralRunning`, and
 * `ephemeral-image-missing`, `target-is-ephemeral`, `ptrace-not-allowed`, `target-unreadable`,
 * `target-not-joined`, `debugger-broken`, `debugger-silent`.
 */
export function debuggerShell(
  clusters: Clusters,
  terms: DebuggerTerms,
  attempt: DebuggerAttempt,
): {
  readonly notes: readonly string[];
  run(target: ContainerName, argv: readonly string[], signal: AbortSignal): Promise<BesideRun>;
} {
  const notes: string[] = [];
  return {
    notes,
    run: async (target, argv, signal) => {
      const connection = await clusters.connection(target.cluster).catch(translated);
      const it = { clusters, connection, terms, attempt, target, notes };
      return await enter(it, argv, signal).catch(translated);
    },
  };
}

interface Entering {
  readonly clusters: Clusters;
  readonly connection: ClusterConnection;
  readonly terms: DebuggerTerms;
  readonly attempt: DebuggerAttempt;
  readonly target: ContainerName;
  readonly notes: string[];
}

/** Twice at most: what the first debugger sees of the target tells who the second has to be. */
async function enter(
  it: Entering,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<BesideRun> {
  const pod = await getPod(it.connection, it.target, signal);
  const container = targetIn(pod, it.target.container);
  const { name } = it.attempt;
  const at = { pod, id: idIn(pod, container), name, who: identityOf(pod, container) };
  const first = await stand(it, at, argv, signal);
  if ('root' in first) return first;
  const second = await stand(it, { ...at, name: `${name}-2`, who: first }, argv, signal);
  if ('root' in second) return second;
  throw unreadable(second);
}

interface Stand {
  readonly pod: Pod;
  /** By which the target's processes are found; empty where PID 1 is the target. */
  readonly id: string;
  readonly name: string;
  readonly who: Identity;
}

/** The run, or who the target really is where another debugger could read it. */
async function stand(
  it: Entering,
  at: Stand,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<BesideRun | Identity> {
  await using scope = new AsyncDisposableStack();
  const one = scope.use(await debuggerIn(placeFor(it, at), signal));
  const seen = await probe(it, { one, id: at.id }, signal);
  if (seen.verdict === 'readable') {
    const run = scope.use(await shellIn(it, one).run(it.target, argv, signal));
    return owned(run, { root: `/proc/${seen.pid}/root`, scope: scope.move() });
  }
  if (seen.ids === undefined) throw unreadable(at.who);
  const exact = identityOfProcess(seen.ids);
  const [better] = profilesFor(exact, it.terms.ptraceAllowed);
  if (better === undefined || better.name === one.profile.name) throw unreadable(exact);
  return exact;
}

function targetIn(pod: Pod, name: string): PodContainer {
  const found = pod.containers.find((one) => one.name === name);
  if (found === undefined)
    throw new Never('container-not-found', `the pod has no ${name} any more`);
  if (found.kind !== 'ephemeral') return found;
  const because = 'an ephemeral container cannot have another one beside it';
  throw new Never('target-is-ephemeral', because);
}

function placeFor(it: Entering, { pod, name, who }: Stand): Place {
  const { connection, terms, attempt, target, notes } = it;
  if (terms.image === undefined) {
    const because = 'no image for ephemeral containers is configured: set EPHEMERAL_IMAGE';
    throw new Never('ephemeral-image-missing', because);
  }
  const profiles = profilesFor(who, terms.ptraceAllowed);
  if (profiles.length === 0) {
    const because =
      'the target holds more capabilities than a container gets by default, so that only ' +
      'SYS_PTRACE reads it: allow that with EPHEMERAL_PTRACE=true';
    throw new Never('ptrace-not-allowed', because);
  }
  return {
    ...{ connection, pod, name, profiles, notes },
    image: terms.image,
    target: target.container,
    msMax: attempt.msMax,
  };
}

/** Where all containers of a pod or of the node share their processes, PID 1 is another one. */
function idIn(pod: Pod, { containerId }: PodContainer): string {
  if (!pod.spec.shareProcessNamespace && !pod.spec.hostPID) return '';
  const id = containerId?.split('://')[1] ?? '';
  if (/^[0-9a-f]{32,}$/.test(id)) return id;
  throw new Never('target-not-joined', 'the target has no id by which to find its processes');
}

const PROBE_BYTES_MAX = 4_096;
const PROBE_MS_MAX = 30_000;

async function probe(
  it: Entering,
  at: { readonly one: Debugger; readonly id: string },
  signal: AbortSignal,
): Promise<Seen> {
  const limit = AbortSignal.timeout(PROBE_MS_MAX);
  const text = await answer(it, at, AbortSignal.any([signal, limit])).catch((cause: unknown) => {
    if (!limit.aborted || signal.aborted) throw cause;
    const because = `the ephemeral container did not answer within ${PROBE_MS_MAX} ms`;
    throw new Later('debugger-silent', 0, because, { cause });
  });
  const seen = readProbe(text);
  if (seen === undefined) {
    const because = 'its image lacks sh, cat, ls or readlink: configure another EPHEMERAL_IMAGE';
    throw new Never('debugger-broken', `the ephemeral container did not answer: ${because}`);
  }
  if (seen.verdict === 'readable' || seen.verdict === 'unreadable') return seen;
  const because = "the ephemeral container does not see the target's processes";
  throw new Never('target-not-joined', `${because}: the node's runtime did not join them`);
}

async function answer(
  it: Entering,
  { one, id }: { readonly one: Debugger; readonly id: string },
  signal: AbortSignal,
): Promise<string> {
  const argv = ['sh', '-c', PROBE, 'sh', '/proc', id];
  await using run = await shellIn(it, one).run(it.target, argv, signal);
  let text = '';
  for await (const chunk of run.stdout) text = (text + chunk).slice(0, PROBE_BYTES_MAX);
  return text;
}

function shellIn(it: Entering, { name: container }: Debugger) {
  const shell = kubernetesShell(it.clusters);
  return {
    run: (target: ContainerName, argv: readonly string[], signal: AbortSignal) =>
      shell.run({ ...target, container }, argv, signal),
  };
}

/** The run, with the debugger's end as part of its own. */
function owned(
  run: ExecRun,
  { root, scope }: { readonly root: string; readonly scope: AsyncDisposableStack },
): BesideRun {
  return { ...run, root, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}

function unreadable({ user, group, capable }: Identity): Never {
  const more = capable ? ' and more capabilities than by default' : '';
  return new Never(
    'target-unreadable',
    `the ephemeral container may not read the target, which is user ${user}, group ${group}${more}: ` +
      'allow SYS_PTRACE with EPHEMERAL_PTRACE=true, in a namespace whose Pod Security admits it; ' +
      'a pod with user namespaces (hostUsers: false) cannot be read in this way',
  );
}
