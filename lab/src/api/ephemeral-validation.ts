// SPDX-License-Identifier: Apache-2.0
import { ofRole, type PodRecord } from '../pods/pod-record.ts';
import type { JsonRecord } from './json.ts';
import type { StatusCause } from './status.ts';

const FORBIDDEN = [
  'lifecycle',
  'livenessProbe',
  'ports',
  'readinessProbe',
  'resources',
  'restartPolicy',
  'startupProbe',
];
const KNOWN = new Set([
  ...FORBIDDEN,
  'args',
  'command',
  'env',
  'envFrom',
  'image',
  'imagePullPolicy',
  'name',
  'securityContext',
  'stdin',
  'stdinOnce',
  'targetContainerName',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'tty',
  'volumeDevices',
  'volumeMounts',
  'workingDir',
]);
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_RULE =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and " +
  "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used " +
  "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** What the server finds wrong with new ephemeral containers, in the order it says so. */
export function ephemeralFaults(pod: PodRecord, sent: readonly JsonRecord[]): StatusCause[] {
  const taken = [...ofRole(pod, 'init'), ...ofRole(pod, 'app')].map((one) => one.spec.name);
  return sent.flatMap((one, index) => {
    const at = `spec.ephemeralContainers[${index}]`;
    return [
      ...nameFaults(one['name'], taken, `${at}.name`),
      ...imageFaults(one['image'], `${at}.image`),
      ...targetFaults(pod, one['targetContainerName'], `${at}.targetContainerName`),
      ...forbiddenFields(one).map((field) =>
        cause('Forbidden', 'Forbidden: cannot be set for an Ephemeral Container', `${at}.${field}`),
      ),
    ];
  });
}

/** Fields no container has; they are dropped with a warning. */
export function unknownFields(sent: readonly JsonRecord[]): string[] {
  return sent.flatMap((one, index) =>
    Object.keys(one)
      .filter((field) => !KNOWN.has(field))
      .map((field) => `spec.ephemeralContainers[${index}].${field}`),
  );
}

function cause(reason: string, message: string, field: string): StatusCause {
  return { reason: `FieldValue${reason}`, message, field };
}

function nameFaults(name: unknown, taken: readonly string[], field: string): StatusCause[] {
  if (typeof name !== 'string' || name === '') return [cause('Required', 'Required value', field)];
  if (!LABEL.test(name)) {
    return [cause('Invalid', `Invalid value: "${name}": ${LABEL_RULE}`, field)];
  }
  return taken.includes(name) ? [cause('Duplicate', `Duplicate value: "${name}"`, field)] : [];
}

function imageFaults(image: unknown, field: string): StatusCause[] {
  if (typeof image === 'string' && image !== '') return [];
  return [cause('Required', 'Required value', field)];
}

function targetFaults(pod: PodRecord, target: unknown, field: string): StatusCause[] {
  if (target === undefined || target === '') return [];
  const known = [...ofRole(pod, 'app'), ...ofRole(pod, 'init')].map((one) => one.spec.name);
  if (known.includes(String(target))) return [];
  return [cause('NotFound', `Not found: "${String(target)}"`, field)];
}

function forbiddenFields(sent: JsonRecord): string[] {
  const empty = (value: unknown): boolean =>
    value === undefined ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return FORBIDDEN.filter((field) => !empty(sent[field]));
}
