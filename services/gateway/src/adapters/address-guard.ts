// SPDX-License-Identifier: Apache-2.0
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** IANA special-purpose registries: what a public host never has. */
const FORBIDDEN_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;
/** Within 2000::/3, which is all that is public; everything else is refused anyway. */
const FORBIDDEN_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

/** Which addresses may be called. */
export interface AddressGuard {
  allows(address: string): boolean;
  /** Whether it is this very machine, and is allowed: where plain HTTP is good enough. */
  isOwn(address: string): boolean;
}

/** Public addresses, and those of the networks (`10.1.0.0/16`). Throws TypeError for a bad one. */
export function guardOf(networks: readonly string[]): AddressGuard {
  const forbidden = new BlockList();
  for (const [net, prefix] of FORBIDDEN_V4) forbidden.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of FORBIDDEN_V6) forbidden.addSubnet(net, prefix, 'ipv6');
  const publicV6 = new BlockList();
  publicV6.addSubnet('2000::', 3, 'ipv6');
  const own = new BlockList();
  own.addSubnet('127.0.0.0', 8, 'ipv4');
  own.addAddress('::1', 'ipv6');
  const granted = new BlockList();
  for (const network of networks) addNetwork(granted, network);
  const allows = (address: string) => {
    const plain = unmapped(address);
    const family = familyOf(plain);
    if (family === undefined) return false;
    if (granted.check(plain, family)) return true;
    if (forbidden.check(plain, family)) return false;
    return family === 'ipv4' || publicV6.check(plain, family);
  };
  return {
    allows,
    isOwn: (address) => {
      const plain = unmapped(address);
      return allows(plain) && own.check(plain, familyOf(plain) ?? 'ipv4');
    },
  };
}

function addNetwork(list: BlockList, network: string): void {
  const [net = '', prefix = ''] = network.split('/');
  const family = familyOf(net);
  const bits = Number(prefix);
  const most = family === 'ipv4' ? 32 : 128;
  if (family === undefined || !/^\d{1,3}$/.test(prefix) || bits > most) {
    throw new TypeError(`${network} is no network: write 10.1.0.0/16`);
  }
  list.addSubnet(net, bits, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  if (isIPv4(address)) return 'ipv4';
  return isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
}

/** ::ffff:127.0.0.1 and ::ffff:7f00:1 are 127.0.0.1 in other clothes. */
function unmapped(address: string): string {
  if (!isIPv6(address) || address.includes('%')) return address;
  const { hostname } = new URL(`http://[${address}]`);
  const found = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (found === null) return address;
  const [high, low] = [found[1], found[2]].map((part) => Number.parseInt(part ?? '0', 16));
  const bytes = [high, low].flatMap((part = 0) => [part >> 8, part & 0xff]);
  return bytes.join('.');
}
