// SPDX-License-Identifier: Apache-2.0
import type { RawPod, RawState, SecurityContext } from './pod-object.ts';

type Raw = RawPod;
type RawContainer = Raw['spec']['containers'][number];

/** What a container does now or did before. `unknown` where the kubelet has said nothing. */
export type ContainerState =
  | ({ readonly kind: 'running' } & NonNullable<NonNullable<RawState>['running']>)
  | ({ readonly kind: 'waiting' } & NonNullable<NonNullable<RawState>['waiting']>)
  | ({ readonly kind: 'terminated' } & NonNullable<NonNullable<RawState>['terminated']>)
  | { readonly kind: 'unknown' };

/** One container of a pod: what was asked for and what became of it. */
export interface PodContainer
  extends Omit<RawContainer, 'env' | 'envFrom' | 'securityContext' | 'image'> {
  readonly kind: 'init' | 'app' | 'ephemeral';
  /** As the pod asks for it; `imageId` is what really runs. */
  readonly image: string;
  readonly imageId?: string | undefined;
  /** `containerd://<id>`; changes with every restart. */
  readonly containerId?: string | undefined;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly securityContext: SecurityContext | undefined;
}

/** A volume and where its content comes from. */
export interface PodVolume {
  readonly name: string;
  /** Field name of the source: `emptyDir`, `secret`, `hostPath`, `persistentVolumeClaim`, … */
  readonly kind: string;
  readonly claimName?: string | undefined;
  readonly hostPath?: string | undefined;
}

/** A pod, flat. Everything in it is what the cluster says: hostile until compared. */
export interface Pod {
  readonly metadata: RawPod['metadata'] & { readonly namespace: string };
  readonly spec: Omit<
    Raw['spec'],
    'containers' | 'initContainers' | 'ephemeralContainers' | 'volumes' | 'imagePullSecrets'
  >;
  readonly status: Omit<
    Raw['status'],
    'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses'
  >;
  readonly containers: readonly PodContainer[];
  readonly volumes: readonly PodVolume[];
  /** Names of what the pod refers to in its own namespace, sorted. */
  readonly references: {
    readonly secrets: readonly string[];
    readonly configMaps: readonly string[];
  };
}

/** Makes a Pod of an API object; a namespace that is missing in the object is the one asked for. */
export function podOf(raw: Raw, namespace: string): Pod {
  const { containers, initContainers, ephemeralContainers, volumes, ...rest } = raw.spec;
  const { imagePullSecrets, ...spec } = rest;
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses, ...status } =
    raw.status;
  return {
    metadata: { ...raw.metadata, namespace: raw.metadata.namespace ?? namespace },
    spec,
    status,
    containers: [
      ...merge('init', initContainers, initContainerStatuses),
      ...merge('app', containers, containerStatuses),
      ...merge('ephemeral', ephemeralContainers, ephemeralContainerStatuses),
    ],
    volumes: volumes.map(volumeOf),
    references: referencesOf(raw),
  };
}

function merge(
  kind: PodContainer['kind'],
  containers: readonly RawContainer[],
  statuses: Raw['status']['containerStatuses'],
): PodContainer[] {
  return containers.map(({ env: _env, envFrom: _from, securityContext, ...container }) => {
    const status = statuses.find((one) => one.name === container.name);
    return {
      ...container,
      kind,
      securityContext: securityContext ?? undefined,
      imageId: status?.imageID || undefined,
      containerId: status?.containerID || undefined,
      ready: status?.ready ?? false,
      restartCount: status?.restartCount ?? 0,
      state: stateOf(status?.state),
      lastState: stateOf(status?.lastState),
    };
  });
}

function stateOf(state: RawState): ContainerState {
  if (state?.running) return { kind: 'running', ...state.running };
  if (state?.terminated) return { kind: 'terminated', ...state.terminated };
  if (state?.waiting) return { kind: 'waiting', ...state.waiting };
  return { kind: 'unknown' };
}

function volumeOf(volume: Raw['spec']['volumes'][number]): PodVolume {
  const kind = Object.keys(volume).find((key) => key !== 'name' && volume[key] !== undefined);
  return {
    name: volume.name,
    kind: kind ?? 'unknown',
    claimName: volume.persistentVolumeClaim?.claimName,
    hostPath: volume.hostPath?.path,
  };
}

function referencesOf({ spec }: Raw): Pod['references'] {
  const all = [...spec.initContainers, ...spec.containers, ...spec.ephemeralContainers];
  const env = all.flatMap((one) => one.env.map((entry) => entry.valueFrom));
  const from = all.flatMap((one) => one.envFrom);
  const projected = spec.volumes.flatMap((volume) => volume.projected?.sources ?? []);
  return {
    secrets: names([
      ...spec.imagePullSecrets.map((one) => one.name),
      ...spec.volumes.map((volume) => volume.secret?.secretName),
      ...projected.map((source) => source.secret?.name),
      ...env.map((value) => value?.secretKeyRef?.name),
      ...from.map((source) => source.secretRef?.name),
    ]),
    configMaps: names([
      ...spec.volumes.map((volume) => volume.configMap?.name),
      ...projected.map((source) => source.configMap?.name),
      ...env.map((value) => value?.configMapKeyRef?.name),
      ...from.map((source) => source.configMapRef?.name),
    ]),
  };
}

function names(found: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(found.filter((name): name is string => Boolean(name)))].toSorted();
}
