// SPDX-License-Identifier: Apache-2.0
import { RESOURCE_TYPES } from './resource-types.ts';

/** What /version answers. */
export const VERSION = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: '$Format:%H$',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'go1.26.10',
  compiler: 'gc',
  platform: 'linux/amd64',
};

/** The discovery document of a path, or undefined where there is none. */
export function discovery(path: string, server: string): unknown {
  if (path === '/api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: server }];
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
  }
  if (path === '/api/v1') return resourceList('', 'v1');
  const groups = [...new Set(RESOURCE_TYPES.map((one) => one.group))].filter((one) => one !== '');
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(apiGroup) };
  }
  const [, , group = '', version] = path.split('/');
  if (!path.startsWith('/apis/') || !groups.includes(group)) return undefined;
  if (version === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) };
  return version === 'v1' ? resourceList(group, version) : undefined;
}

function apiGroup(name: string) {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(group: string, version: string) {
  const types = RESOURCE_TYPES.filter((one) => one.group === group);
  const head =
    group === '' ? { kind: 'APIResourceList' } : { kind: 'APIResourceList', apiVersion: 'v1' };
  return {
    ...head,
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: types.flatMap(({ resource, namespaced, kind, verbs, subresources }) => [
      { name: resource, singularName: kind.toLowerCase(), namespaced, kind, verbs },
      ...subresources.map((sub) => ({
        name: `${resource}/${sub.name}`,
        singularName: '',
        namespaced,
        kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}
