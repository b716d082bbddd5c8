// SPDX-License-Identifier: Apache-2.0
import type { FleetOptions } from './fleet/fleet.ts';

const CAST = ['discovery', 'rbac-checker', 'executor-kubernetes'] as const;

/**
 * A fleet for more targets than a machine has room for: discovery and the rbac-checker answer out
 * of their heads, and the executor's containers are scripts; all else is as in production.
 */
export function castFleet(
  hold: { readonly ms?: number; readonly file?: string },
  more: Partial<FleetOptions> = {},
): FleetOptions {
  const { ms = 0, file } = hold;
  const held = file === undefined ? {} : { HOLD_FILE: file };
  return {
    pods: { shells: [], shellless: [] },
    cast: Object.fromEntries(
      CAST.map((name) => [name, new URL(`./cast/${name}/main.ts`, import.meta.url)]),
    ),
    ...more,
    replicas: { 'executor-kubernetes': 2, ...more.replicas },
    settings: { 'executor-kubernetes': { HOLD_MS: String(ms), ...held }, ...more.settings },
  };
}
