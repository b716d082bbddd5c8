// SPDX-License-Identifier: Apache-2.0

import { graceSeconds, podObject } from '../pods/pod-object.ts';
import { type Answer, json, readJson, sendAnswer } from './answer.ts';
import { type Context, podOf } from './context.ts';
import { patchEphemeral } from './ephemeral-patch.ts';
import { kubeTime } from './kube-object.ts';
import { listPage } from './lists.ts';
import { answerLog } from './pod-log.ts';
import { type ResourceType, resourceType } from './resource-types.ts';
import { accessReview, rulesReview, whoAmI } from './reviews.ts';
import { ApiStatus, badRequest, methodNotAllowed, notFound, unknownResource } from './status.ts';
import { answerWatch, whole } from './watch.ts';

/** Answers an authorized request on a resource; throws a Status. */
export async function answerResource(context: Context): Promise<void> {
  const { asked, request, response } = context;
  const type = resourceType(asked);
  if (type === undefined) throw unknownResource();
  if (asked.subresource !== '') return await answerSubresource(context, type);
  if (!type.verbs.includes(asked.verb)) throw methodNotAllowed();
  acceptable(request.headers.accept ?? '*/*');
  if (asked.verb === 'watch') return answerWatch(context, type);
  sendAnswer(response, await plainAnswer(context, type));
}

async function plainAnswer(context: Context, type: ResourceType): Promise<Answer> {
  const { asked, world, query, request, user } = context;
  const version = world.version();
  switch (asked.verb) {
    case 'list':
      return json(
        listPage(world.objects(type.resource), {
          type,
          namespace: asked.namespace,
          query,
          version,
        }),
      );
    case 'get':
      return json(objectOf(context, type));
    case 'delete':
      return deletePod(context);
    case 'create':
      return json(review(type, user, await readJson(request)), 201);
    default:
      throw methodNotAllowed();
  }
}

function acceptable(accept: string): void {
  if (accept.includes('*/*') || accept.includes('application/')) return;
  const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
  const message = `only the following media types are accepted: ${types}`;
  throw new ApiStatus(406, 'NotAcceptable', message);
}

function objectOf(context: Context, type: ResourceType) {
  const { world, asked } = context;
  const found = world
    .objects(type.resource)
    .find(
      ({ metadata }) =>
        metadata.name === asked.name &&
        (!type.namespaced || metadata.namespace === asked.namespace),
    );
  if (found === undefined) throw notFound(asked);
  return whole(type, found);
}

function review(type: ResourceType, user: Context['user'], body: unknown): unknown {
  switch (type.kind) {
    case 'SelfSubjectAccessReview':
      return accessReview(user, body);
    case 'SelfSubjectRulesReview':
      return rulesReview(user, body);
    case 'SelfSubjectReview':
      return whoAmI(user);
    default:
      throw methodNotAllowed();
  }
}

function deletePod(context: Context): Answer {
  const { world, asked, query, kubelet } = context;
  const pod = podOf(world, asked);
  const type = resourceType(asked);
  if (type === undefined) throw unknownResource();
  const seconds = Number(query.get('gracePeriodSeconds') ?? graceSeconds(pod));
  if (pod.deletion === undefined) {
    pod.deletion = { at: kubeTime(new Date(Date.now() + seconds * 1000)), graceSeconds: seconds };
    pod.generation += 1;
    world.touch(pod);
    void kubelet.stop(pod, seconds).then(() => world.remove(pod));
  }
  return json(whole(type, podObject(pod)));
}

async function answerSubresource(context: Context, type: ResourceType): Promise<void> {
  const { asked, response } = context;
  const sub = type.subresources.find((one) => one.name === asked.subresource);
  if (sub === undefined) throw unknownResource();
  if (!sub.verbs.includes(asked.verb)) throw methodNotAllowed();
  switch (`${asked.verb} ${asked.subresource}`) {
    case 'get log':
      return answerLog(context);
    case 'get status':
    case 'get ephemeralcontainers':
      return sendAnswer(response, json(whole(type, podObject(podOf(context.world, asked)))));
    case 'patch ephemeralcontainers':
    case 'update ephemeralcontainers':
      return sendAnswer(response, await patchEphemeral(context));
    case 'get exec':
    case 'create exec':
      podOf(context.world, asked);
      throw badRequest('Upgrade request required');
    default:
      throw methodNotAllowed();
  }
}
