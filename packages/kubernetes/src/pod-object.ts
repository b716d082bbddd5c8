// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { flag, maybeNumber, maybeText, section, textMap, tolerantArray } from './shape.ts';

const OwnerReference = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: flag,
});

/** Who made an object: one entry of `metadata.ownerReferences`. */
export type OwnerReference = z.output<typeof OwnerReference>;

/** The metadata that every object has, as far as it is used. */
export const Metadata = z.object({
  name: z.string().min(1),
  namespace: maybeText,
  uid: z.string().min(1),
  resourceVersion: z.string().catch(''),
  creationTimestamp: maybeText,
  deletionTimestamp: maybeText,
  labels: textMap,
  annotations: textMap,
  ownerReferences: tolerantArray(OwnerReference),
});

const Capabilities = z.object({ add: tolerantArray(z.string()), drop: tolerantArray(z.string()) });

const SecurityContext = z
  .object({
    privileged: z.boolean().optional().catch(undefined),
    allowPrivilegeEscalation: z.boolean().optional().catch(undefined),
    readOnlyRootFilesystem: z.boolean().optional().catch(undefined),
    runAsNonRoot: z.boolean().optional().catch(undefined),
    runAsUser: maybeNumber,
    runAsGroup: maybeNumber,
    fsGroup: maybeNumber,
    capabilities: Capabilities.optional().catch(undefined),
    seccompProfile: z.object({ type: maybeText }).optional().catch(undefined),
  })
  .nullish()
  .catch(undefined);

const VolumeMount = z.object({ name: z.string(), mountPath: z.string(), readOnly: flag });

const KeyReference = z.object({ name: maybeText }).optional().catch(undefined);

const Environment = z.object({
  valueFrom: z
    .object({ secretKeyRef: KeyReference, configMapKeyRef: KeyReference })
    .optional()
    .catch(undefined),
});

const EnvironmentSource = z.object({ secretRef: KeyReference, configMapRef: KeyReference });

const Container = z.object({
  name: z.string().min(1),
  image: z.string().catch(''),
  command: tolerantArray(z.string()),
  args: tolerantArray(z.string()),
  workingDir: maybeText,
  restartPolicy: maybeText,
  targetContainerName: maybeText,
  securityContext: SecurityContext,
  volumeMounts: tolerantArray(VolumeMount),
  env: tolerantArray(Environment),
  envFrom: tolerantArray(EnvironmentSource),
});

const Source = z.object({
  secret: z.object({ name: maybeText }).optional().catch(undefined),
  configMap: KeyReference,
});

const Volume = z.looseObject({
  name: z.string(),
  secret: z.object({ secretName: maybeText }).optional().catch(undefined),
  configMap: KeyReference,
  persistentVolumeClaim: z.object({ claimName: maybeText }).optional().catch(undefined),
  hostPath: z.object({ path: maybeText }).optional().catch(undefined),
  projected: z
    .object({ sources: tolerantArray(Source) })
    .optional()
    .catch(undefined),
});

const Running = z.object({ startedAt: maybeText });
const Waiting = z.object({ reason: maybeText, message: maybeText });
const Terminated = z.object({
  exitCode: z.number(),
  signal: maybeNumber,
  reason: maybeText,
  message: maybeText,
  startedAt: maybeText,
  finishedAt: maybeText,
});

const State = z
  .object({
    running: Running.optional().catch(undefined),
    waiting: Waiting.optional().catch(undefined),
    terminated: Terminated.optional().catch(undefined),
  })
  .nullish()
  .catch(undefined);

const ContainerStatus = z.object({
  name: z.string(),
  containerID: maybeText,
  image: maybeText,
  imageID: maybeText,
  ready: flag,
  restartCount: z.number().catch(0),
  state: State,
  lastState: State,
});

/** A Pod as the API sends it, cut to what is used. Values of environment variables are not read. */
export const PodObject = z.object({
  metadata: Metadata,
  spec: z.object({
    nodeName: maybeText,
    serviceAccountName: maybeText,
    runtimeClassName: maybeText,
    hostPID: flag,
    hostNetwork: flag,
    hostUsers: z.boolean().optional().catch(undefined),
    shareProcessNamespace: flag,
    os: z.object({ name: maybeText }).optional().catch(undefined),
    securityContext: SecurityContext,
    imagePullSecrets: tolerantArray(z.object({ name: z.string() })),
    volumes: tolerantArray(Volume),
    initContainers: tolerantArray(Container),
    containers: tolerantArray(Container),
    ephemeralContainers: tolerantArray(Container),
  }),
  status: section(
    z.object({
      phase: z.string().catch('Unknown'),
      reason: maybeText,
      message: maybeText,
      podIP: maybeText,
      hostIP: maybeText,
      qosClass: maybeText,
      startTime: maybeText,
      initContainerStatuses: tolerantArray(ContainerStatus),
      containerStatuses: tolerantArray(ContainerStatus),
      ephemeralContainerStatuses: tolerantArray(ContainerStatus),
    }),
  ),
});

/** A Pod as the API sends it, checked. */
export type RawPod = z.output<typeof PodObject>;

/** uid, capabilities and the like, of a pod or of a container. */
export type SecurityContext = NonNullable<z.output<typeof SecurityContext>>;

/** State of a container as the API sends it: at most one of the three is set. */
export type RawState = z.output<typeof State>;
