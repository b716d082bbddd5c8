// SPDX-License-Identifier: Apache-2.0
import type {
  CedarValueJson,
  EntityJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { Acquisition } from '@impound/contracts/chain.ts';
import { Method } from '@impound/contracts/methods.ts';
import type { Target } from '@impound/contracts/target.ts';
import { type Caller, personIn } from '../domain/caller.ts';
import type { Asked, Wanted } from '../domain/policy.ts';

type Call = Omit<StatefulAuthorizationCall, 'preparsedPolicySetId' | 'preparsedSchemaName'>;
type Attributes = Record<string, CedarValueJson>;

/** A question in the words of policy/impound.cedarschema. */
export function callOf(asked: Asked, nowMs = Date.now()): Call {
  const { caller, action } = asked;
  const now = { __extn: { fn: 'datetime', arg: new Date(nowMs).toISOString() } };
  const always = { now, authn: caller.actor.authn };
  const principal = integrationOf(caller);
  const resource = resourceOf(asked);
  const context = 'request' in asked ? askingOf(asked.request) : { reason: asked.reason };
  return {
    principal: principal.uid,
    action: { type: 'Impound::Action', id: action },
    resource: resource.uid,
    context: { ...always, ...context },
    entities: [principal, resource],
  };
}

function resourceOf(asked: Asked): EntityJson {
  const { caller } = asked;
  if ('request' in asked) return containerOf(caller, asked.request.target);
  if ('acquisition' in asked) return acquisitionOf(asked.acquisition);
  return entity('Records', 'all', { tenant: caller.tenant });
}

function entity(type: string, id: string, attrs: Attributes): EntityJson {
  return { uid: { type: `Impound::${type}`, id }, attrs, parents: [] };
}

function integrationOf({ actor, tenant, integration }: Caller): EntityJson {
  const { clusters, namespaces, methods, profiles, budget, approval } = integration;
  return entity('Integration', actor.id, {
    name: actor.id,
    kind: actor.kind,
    tenant,
    clusters,
    namespaces,
    methods: methods ?? Method.options,
    profiles,
    bytesMax: budget.bytesMax,
    secondsMax: budget.secondsMax,
    approval,
    mayApprove: integration.mayApprove,
    mayReadEvidence: integration.mayReadEvidence,
    mayInspect: integration.mayInspect,
    mayAudit: integration.mayAudit,
  });
}

function containerOf({ tenant }: Caller, target: Target): EntityJson {
  const { cluster, namespace, pod, selector, container } = target;
  const maybe = { pod, selector, container };
  return entity('Container', 'it', { tenant, cluster, namespace, ...given(maybe) });
}

function acquisitionOf({ acquisitionId, tenant, request, ended }: Acquisition): EntityJson {
  const of = request ?? (ended?.data as Partial<Wanted> | undefined);
  const onBehalfOf = request?.onBehalfOf;
  return entity('Acquisition', acquisitionId, {
    tenant,
    caseId: of?.caseId ?? '',
    cluster: of?.target?.cluster ?? '',
    namespace: of?.target?.namespace ?? '',
    profile: of?.profile ?? '',
    requestedBy: request?.requestedBy.id ?? '',
    ...given({ onBehalfOf, forPerson: onBehalfOf && personIn(onBehalfOf) }),
  });
}

function askingOf(request: Wanted): Attributes {
  const { caseId, reason, profile, methods, paths, budget } = request;
  const { bytesMax, secondsMax } = budget;
  return { caseId, reason, profile, methods: methods ?? [], paths, bytesMax, secondsMax };
}

function given(fields: Readonly<Record<string, string | undefined>>): Attributes {
  const there = Object.entries(fields).filter((field) => field[1] !== undefined);
  return Object.fromEntries(there) as Attributes;
}
