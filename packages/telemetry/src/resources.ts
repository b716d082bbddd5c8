// SPDX-License-Identifier: Apache-2.0
import { SCOPE_PREFIX } from '@impound/runtime/semantics.ts';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import type { Settings } from './settings.ts';

/** Who sends: the process as a whole, and each service that runs in it. */
export interface Resources {
  readonly own: Resource;
  /** The resource of whoever made a span or a metric, by the name of its scope. */
  of(scope: string): Resource;
}

/**
 * Services that share a process (`impound up`) are told apart by the scope of what they send. A
 * name that the environment gives counts for all of them.
 */
export function resourcesOf(
  { named }: Pick<Settings, 'named'>,
  program = process.argv[1] ?? '',
): Resources {
  const detectors = [envDetector, serviceInstanceIdDetector];
  const found = detectResources({ detectors });
  const own = defaultResource()
    .merge(nameOf(serviceIn(program)))
    .merge(found);
  const services = new Map<string, Resource>();
  return {
    own,
    of: (scope) => {
      if (named || !scope.startsWith(SCOPE_PREFIX)) return own;
      const known = services.get(scope) ?? own.merge(nameOf(scope.slice(SCOPE_PREFIX.length)));
      services.set(scope, known);
      return known;
    },
  };
}

/** The service that a program runs by its own; empty where it runs several, as `impound up`. */
function serviceIn(program: string): string {
  return /\/services\/([a-z0-9-]+)\/src\/main\.ts$/.exec(program)?.[1] ?? '';
}

function nameOf(service: string): Resource {
  return resourceFromAttributes({
    'service.name': ['impound', service].filter((word) => word !== '').join('-'),
  });
}
