// SPDX-License-Identifier: Apache-2.0
import { formatTarget } from '@impound/contracts/target.ts';
import type { Account, Exhibit, Recorded } from './account.ts';
import { CONTEXT, dateTime, hexBinary, type Node, named, type Reference, to } from './case-node.ts';
import { type Acting, actorOf, detail, purposeOf } from './telling.ts';

/** A JSON-LD document: https://caseontology.org, CASE/UCO 1.4.0. */
export interface CaseDocument {
  readonly '@context': typeof CONTEXT;
  readonly '@graph': readonly Node[];
}

/**
 * One acquisition in CASE/UCO 1.4.0: the case as an Investigation, every entry of the chain as an
 * InvestigativeAction that was informed by the one before it, every object of evidence as a File
 * with size and SHA-256 and a ProvenanceRecord with its exhibit number. The leaf hash of each entry
 * is its external reference, by which it is found in the log.
 */
export function caseDocument(account: Account): CaseDocument {
  const graph = new Map<string, Node>();
  const add = (node: Node): Reference => {
    graph.set(node['@id'], node);
    return to(node);
  };
  const source = add(sourceOf(account));
  const files = new Map(account.exhibits.map((exhibit) => [exhibit.key, add(fileOf(exhibit))]));
  const records = account.exhibits.map((exhibit) => add(recordOf(exhibit, files)));
  const permission = add(authorizationOf(account));
  let before: Reference | undefined;
  const actions: Reference[] = [];
  for (const recorded of account.entries) {
    const performer = add(performerOf(actorOf(recorded.entry)));
    const instruments = toolsOf(recorded).map(add);
    before = add(actionOf(recorded, { performer, instruments, source, files, before }));
    actions.push(before);
  }
  add(investigationOf(account, [source, ...files.values(), ...records, ...actions], permission));
  return { '@context': CONTEXT, '@graph': [...graph.values()] };
}

function investigationOf(account: Account, objects: readonly Reference[], by: Reference): Node {
  const { tenant, request } = account.state;
  const caseId = request?.caseId ?? 'no case';
  return {
    '@id': named('investigation:Investigation', tenant, caseId),
    '@type': 'investigation:Investigation',
    'core:name': caseId,
    'core:object': objects,
    'investigation:relevantAuthorization': by,
  };
}

/** What allowed the acquisition: the decision on the request, with its reason. */
function authorizationOf({ state }: Account): Node {
  const { request, acquisitionId } = state;
  const policies = request?.policy.policies ?? [];
  return {
    '@id': named('investigation:Authorization', acquisitionId, 'authorization'),
    '@type': 'investigation:Authorization',
    'core:description': request?.policy.because ?? 'no decision is on record',
    'investigation:authorizationType': 'access policy',
    ...(policies.length === 0 ? {} : { 'investigation:authorizationIdentifier': policies }),
  };
}

/** The container that was collected from. */
function sourceOf({ state }: Account): Node {
  const target = state.target?.target ?? state.request?.target;
  const uri = target === undefined ? 'unknown' : formatTarget(target);
  const container = state.target?.container;
  const facts = [
    ['pod UID', container?.podUid],
    ['container', container?.containerId],
    ['image', container?.image],
    ['image digest', container?.imageDigest],
    ['node', container?.node],
  ].filter(([, value]) => value !== undefined);
  return {
    '@id': named('observable:ObservableObject', uri, container?.containerId ?? ''),
    '@type': 'observable:ObservableObject',
    'core:name': uri,
    'core:description': facts.map((fact) => fact.join(' ')).join(', ') || 'not found',
  };
}

function fileOf({ key, name, bytes, sha256 }: Exhibit): Node {
  const facet = (type: string, more: object) => ({
    '@id': named(type, key, sha256),
    '@type': type,
    'observable:sizeInBytes': bytes,
    ...more,
  });
  return {
    '@id': named('observable:File', key, sha256),
    '@type': 'observable:File',
    'core:hasFacet': [
      facet('observable:FileFacet', { 'observable:fileName': name, 'observable:filePath': key }),
      facet('observable:ContentDataFacet', {
        'observable:hash': {
          '@id': named('types:Hash', key, sha256),
          '@type': 'types:Hash',
          'types:hashMethod': 'SHA256',
          'types:hashValue': hexBinary(sha256),
        },
      }),
    ],
  };
}

function recordOf(exhibit: Exhibit, files: ReadonlyMap<string, Reference>): Node {
  return {
    '@id': named('investigation:ProvenanceRecord', exhibit.number),
    '@type': 'investigation:ProvenanceRecord',
    'core:description': holdingOf(exhibit),
    'investigation:exhibitNumber': exhibit.number,
    'core:object': files.get(exhibit.key),
  };
}

/** Where the store holds an exhibit, and until when it must. */
export function holdingOf({ key, stored }: Exhibit): string {
  if (stored === undefined) return `${key}: that it was stored is not on record`;
  const { store = 'store', versionId, retention, verifiedAt } = stored;
  const version = versionId === undefined ? '' : `, version ${versionId}`;
  const until = retention.until === undefined ? '' : ` until ${retention.until}`;
  return `${store} ${key}${version}, read back ${verifiedAt}, retention ${retention.mode}${until}`;
}

function performerOf({ id, kind, authn }: Acting): Node {
  const type = kind === 'person' ? 'identity:Person' : 'identity:Identity';
  const shown = authn === '' ? kind : `${kind}, authenticated by ${authn}`;
  return {
    '@id': named(type, id, kind, authn),
    '@type': type,
    'core:name': id,
    'core:description': shown,
  };
}

/** The program that spoke, and the one that ran in the target. */
function toolsOf({ entry: { event } }: Recorded): Node[] {
  const tool = (name: string, more: object = {}): Node => ({
    '@id': named('tool:Tool', name, JSON.stringify(more)),
    '@type': 'tool:Tool',
    'core:name': name,
    ...more,
  });
  const { collector } = event.data as {
    collector?: { name: string; version: string; sha256: string };
  };
  const speaker = tool(event.source);
  if (collector === undefined) return [speaker];
  const { name, version, sha256 } = collector;
  const more = { 'tool:version': version, 'core:description': `SHA-256 ${sha256}` };
  return [speaker, tool(name, more)];
}

interface Around {
  readonly performer: Reference;
  readonly instruments: readonly Reference[];
  readonly source: Reference;
  readonly files: ReadonlyMap<string, Reference>;
  readonly before: Reference | undefined;
}

function actionOf({ entry, leaf }: Recorded, around: Around): Node {
  const { event } = entry;
  const { startedAt, endedAt, objects } = event.data as Record<string, unknown>;
  const keys = Array.isArray(objects) ? objects.map(({ key }: { key: string }) => key) : [];
  const results = keys.flatMap((key) => around.files.get(key) ?? []);
  const words = [detail(event.type, event.data), purposeOf(entry)].filter((text) => text !== '');
  return {
    '@id': named('investigation:InvestigativeAction', event.id),
    '@type': 'investigation:InvestigativeAction',
    'core:name': event.type,
    ...(words.length === 0 ? {} : { 'core:description': [...new Set(words)].join(': ') }),
    'core:objectCreatedTime': dateTime(entry.recordedAt),
    'action:startTime': dateTime(typeof startedAt === 'string' ? startedAt : event.time),
    'action:endTime': dateTime(typeof endedAt === 'string' ? endedAt : event.time),
    'action:performer': around.performer,
    'action:instrument': around.instruments,
    'action:object': around.source,
    ...(results.length === 0 ? {} : { 'action:result': results }),
    'core:externalReference': {
      '@id': named('core:ExternalReference', leaf),
      '@type': 'core:ExternalReference',
      'core:definingContext': 'RFC 6962 leaf hash',
      'core:externalIdentifier': leaf,
    },
    ...(around.before === undefined ? {} : { 'investigation:wasInformedBy': around.before }),
  };
}
