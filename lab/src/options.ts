// SPDX-License-Identifier: Apache-2.0

/** What a container's file system is made of; `distroless` has no shell and one program. */
export type Flavor = 'debian' | 'busybox' | 'distroless';

/** A file to plant in a container before its processes start; exactly one source is given. */
export interface FileSpec {
  readonly path: string;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  /** A program of the host to copy, found on the usual paths, e.g. `sleep`. */
  readonly copyOfProgram?: string;
  readonly linkTo?: string;
  /** Permission bits, default 0o644. */
  readonly mode?: number;
  readonly modified?: Date;
}

/** A process beside the main one, started as if somebody had entered the container. */
export interface ProcessSpec {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Remove this file once the process runs, so that its binary is deleted but open. */
  readonly removeAfterStart?: string;
}

/** Shared empty directory of a pod, mounted where a container's `mounts` say. */
export interface VolumeSpec {
  readonly name: string;
  readonly files?: readonly FileSpec[];
}

/** One container: a real process in namespaces of its own. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  /** Image id, `sha256:` and 64 hexadecimal digits; derived from the image's name if left out. */
  readonly digest?: string;
  readonly flavor: Flavor;
  /** Left out: a process that waits for ever. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: number;
  readonly group?: number;
  /** User and group are the image's own: the pod's spec does not name them. */
  readonly userOfImage?: boolean;
  readonly privileged?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly workingDir?: string;
  /** Nothing but volumes and /dev/shm can be written. */
  readonly readOnlyRoot?: boolean;
  readonly files?: readonly FileSpec[];
  readonly processes?: readonly ProcessSpec[];
  readonly mounts?: readonly { readonly name: string; readonly path: string }[];
  /** The container never starts and waits with this reason, e.g. `ErrImagePull`. */
  readonly waiting?: { readonly reason: string; readonly message?: string };
  /** For an init container: keeps running beside the others (restartPolicy Always). */
  readonly sidecar?: boolean;
  /** What `pods/log` with `previous=true` answers; without it there is no previous container. */
  readonly previousLog?: string;
}

/** One pod. Containers start when the cluster does, init containers first. */
export interface PodSpec {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Name of a Deployment that owns the pod through a ReplicaSet; both objects are made. */
  readonly deployment?: string;
  readonly containers: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
  readonly volumes?: readonly VolumeSpec[];
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  readonly serviceAccount?: string;
  /** No node takes the pod; it stays Pending with this message and has no containers running. */
  readonly unschedulable?: string;
  /** Node the pod says it is on; default is the cluster's only node. */
  readonly nodeName?: string;
  /** `own` gives the pod a network without any interface but loopback; default `host`. */
  readonly network?: 'host' | 'own';
  readonly gracePeriodSeconds?: number;
}

/** A Secret or ConfigMap; values are plain text here and base64 in a Secret's answer. */
export interface DataSpec {
  readonly name: string;
  readonly type?: string;
  readonly data: Readonly<Record<string, string>>;
}

/** One namespace and all that is in it. */
export interface NamespaceSpec {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly pods?: readonly PodSpec[];
  readonly secrets?: readonly DataSpec[];
  readonly configMaps?: readonly DataSpec[];
}

/** One RBAC rule; without `namespace` it holds in the whole cluster. */
export interface RuleSpec {
  readonly namespace?: string;
  readonly apiGroups?: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A service account with a token, named `namespace/name`. */
export interface AccountSpec {
  readonly name: `${string}/${string}`;
  readonly rules: readonly RuleSpec[];
}

/** The whole pretend cluster. */
export interface LabOptions {
  /** Name of the cluster in kubeconfigs, default `lab`. */
  readonly cluster?: string;
  /** Name of the only node, default `node1`. */
  readonly node?: string;
  readonly namespaces: readonly NamespaceSpec[];
  readonly accounts?: readonly AccountSpec[];
  /** Images no registry has: an ephemeral container with one waits for ever in ErrImagePull. */
  readonly absentImages?: readonly string[];
}
