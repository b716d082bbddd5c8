// SPDX-License-Identifier: Apache-2.0

/** The value of Content-Digest and Repr-Digest (RFC 9530) for a SHA-256 in hex. */
export function formatDigest(sha256: string): string {
  const bytes = sha256.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return `sha-256=:${btoa(String.fromCharCode(...bytes))}:`;
}

/** The SHA-256 in a digest header, in hex; other algorithms beside it are left alone. */
export function readDigest(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 1_024) return undefined;
  const found = header
    .split(',')
    .map((member) => /^\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*$/.exec(member)?.[1])
    .filter((value) => value !== undefined);
  if (found.length !== 1 || found[0] === undefined) return undefined;
  const hex = [...atob(found[0])].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0'));
  // Base64 has spare bits at its end: only the one spelling that we would write counts.
  return formatDigest(hex.join('')).includes(found[0]) ? hex.join('') : undefined;
}
