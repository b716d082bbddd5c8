// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util';
import { ephemeralRecord, startEphemeral } from '../pods/ephemeral-container.ts';
import { podObject } from '../pods/pod-object.ts';
import { type ContainerRecord, ofRole, type PodRecord } from '../pods/pod-record.ts';
import { type Answer, json, readJson } from './answer.ts';
import { type Context, podOf } from './context.ts';
import { ephemeralFaults, unknownFields } from './ephemeral-validation.ts';
import { isRecord, type JsonRecord } from './json.ts';
import { admitEphemeral } from './pod-security.ts';
import { resourceType } from './resource-types.ts';
import { ApiStatus, badRequest, invalid, type StatusCause } from './status.ts';
import { whole } from './watch.ts';

// What a PUT is like: the list is replaced, in the order it is sent.
const PUT = 'application/merge-patch+json; put';
const FIELD = 'spec.ephemeralContainers';

/** Answers PATCH of pods/ephemeralcontainers: checks, keeps, and starts what is new. */
export async function patchEphemeral(context: Context): Promise<Answer> {
  const { world, asked, query, request, kubelet } = context;
  const pod = podOf(world, asked);
  const body = await readJson(request);
  const put = asked.verb === 'update';
  if (put) sameVersion(pod, body);
  const type = put ? PUT : (request.headers['content-type'] ?? '');
  const change = changeOf(type, body);
  const fresh = change.sent.filter((one) => !present(pod, one));
  refuse(pod, [...removals(pod, change), ...changes(pod, change.sent)]);
  refuse(pod, ephemeralFaults(pod, fresh));
  const unknown = unknownFields(fresh);
  const clean = fresh.map((one, index) => without(one, unknown, index));
  const made = clean.map(ephemeralRecord);
  admitEphemeral(world, pod, clean);
  if (made.length === 0) return answerOf(pod, unknown);
  const before = { containers: [...pod.containers], generation: pod.generation };
  insert(pod, made, change.append);
  if (query.get('dryRun') === 'All') {
    const answer = answerOf(pod, unknown);
    pod.containers.splice(0, pod.containers.length, ...before.containers);
    pod.generation = before.generation;
    return answer;
  }
  world.touch(pod);
  const by = { kubelet, changed: world.touch, absentImages: world.absentImages };
  for (const record of made) setImmediate(() => void startEphemeral(pod, record, by));
  return answerOf(pod, unknown);
}

function insert(pod: PodRecord, made: readonly ContainerRecord[], append: boolean): void {
  const others = pod.containers.filter((one) => one.role !== 'ephemeral');
  const old = ofRole(pod, 'ephemeral');
  const all = append ? [...old, ...made] : [...made, ...old];
  pod.containers.splice(0, pod.containers.length, ...others, ...all);
  pod.generation += 1;
}

function sameVersion(pod: PodRecord, body: unknown): void {
  const metadata = isRecord(body) ? body['metadata'] : undefined;
  const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
  if (version === undefined || version === '' || version === String(pod.resourceVersion)) return;
  const { name } = pod.spec;
  const message =
    `Operation cannot be fulfilled on pods "${name}": the object has been modified; ` +
    'please apply your changes to the latest version and try again';
  throw new ApiStatus(409, 'Conflict', message, { name, kind: 'pods' });
}

function answerOf(pod: PodRecord, unknown: readonly string[]): Answer {
  const type = resourceType({ group: '', version: 'v1', resource: 'pods' });
  if (type === undefined) throw new Error('The server has no pods.');
  const warning = unknown.map((field) => `299 - "unknown field \\"${field}\\""`).join(', ');
  return {
    ...json(whole(type, podObject(pod))),
    ...(warning === '' ? {} : { headers: { warning } }),
  };
}

interface EphemeralChange {
  readonly sent: readonly JsonRecord[];
  /** Names to be taken away, which is never allowed. */
  readonly removed: readonly string[];
  /** A merge patch replaces the list; what it leaves out counts as removed. */
  readonly replaces: boolean;
  readonly removedIndexes: readonly number[];
  readonly append: boolean;
}

function changeOf(type: string, body: unknown): EphemeralChange {
  const none = { sent: [], removed: [], replaces: false, removedIndexes: [], append: false };
  if (type.startsWith('application/json-patch+json')) return { ...none, ...jsonPatch(body) };
  const merge = type.startsWith('application/merge-patch+json');
  if (!merge && !type.startsWith('application/strategic-merge-patch+json')) {
    throw new ApiStatus(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  }
  const spec = isRecord(body) ? body['spec'] : undefined;
  const list = isRecord(spec) ? spec['ephemeralContainers'] : undefined;
  const items = Array.isArray(list) ? list.filter(isRecord) : [];
  const deleted = items.filter((one) => one['$patch'] === 'delete');
  return {
    ...none,
    sent: items.filter((one) => one['$patch'] === undefined),
    removed: deleted.map((one) => String(one['name'])),
    replaces: merge && (Array.isArray(list) || type === PUT),
    append: type === PUT,
  };
}

function jsonPatch(body: unknown): Partial<EphemeralChange> {
  if (!Array.isArray(body)) throw badRequest('a JSON patch is a list of operations');
  const operations = body.filter(isRecord);
  const path = '/spec/ephemeralContainers';
  const added = operations.filter((one) => one['op'] === 'add');
  const values = added.flatMap((one) =>
    Array.isArray(one['value']) ? one['value'] : [one['value']],
  );
  const removedIndexes = operations
    .filter((one) => one['op'] === 'remove')
    .map((one) => Number(String(one['path']).replace(`${path}/`, '')));
  return { sent: values.filter(isRecord), removedIndexes, append: true };
}

function stored(pod: PodRecord, name: unknown): JsonRecord | undefined {
  return ofRole(pod, 'ephemeral').find((one) => one.spec.name === name)?.sent;
}

function present(pod: PodRecord, sent: JsonRecord): boolean {
  return stored(pod, sent['name']) !== undefined;
}

function removals(pod: PodRecord, change: EphemeralChange): StatusCause[] {
  const names = ofRole(pod, 'ephemeral').map((one) => one.spec.name);
  const kept = new Set(change.sent.map((one) => one['name']));
  const left = change.replaces ? names.filter((name) => !kept.has(name)) : [];
  const byIndex = change.removedIndexes.flatMap((index) => names[index] ?? []);
  return [...change.removed.filter((one) => names.includes(one)), ...byIndex, ...left].map(
    (name) => ({
      reason: 'FieldValueForbidden',
      message: `Forbidden: existing ephemeral containers "${name}" may not be removed\n`,
      field: FIELD,
    }),
  );
}

function changes(pod: PodRecord, sent: readonly JsonRecord[]): StatusCause[] {
  const differs = sent.filter((one) => {
    const old = stored(pod, one['name']);
    const same =
      old !== undefined && isDeepStrictEqual(old, ephemeralRecord({ ...old, ...one }).sent);
    return old !== undefined && !same;
  });
  return differs.map((one) => ({
    reason: 'FieldValueForbidden',
    message: `Forbidden: existing ephemeral containers "${one['name']}" may not be changed\n`,
    field: FIELD,
  }));
}

function refuse(pod: PodRecord, causes: readonly StatusCause[]): void {
  if (causes.length > 0) throw invalid('Pod', pod.spec.name, causes);
}

function without(sent: JsonRecord, unknown: readonly string[], index: number): JsonRecord {
  const entries = Object.entries(sent);
  const known = entries.filter(([field]) => !unknown.includes(`${FIELD}[${index}].${field}`));
  return Object.fromEntries(known);
}
