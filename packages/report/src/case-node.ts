// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

/** The prefixes of a CASE/UCO 1.4.0 document. */
export const CONTEXT = {
  kb: 'urn:impound:',
  core: 'https://ontology.unifiedcyberontology.org/uco/core/',
  action: 'https://ontology.unifiedcyberontology.org/uco/action/',
  identity: 'https://ontology.unifiedcyberontology.org/uco/identity/',
  observable: 'https://ontology.unifiedcyberontology.org/uco/observable/',
  tool: 'https://ontology.unifiedcyberontology.org/uco/tool/',
  types: 'https://ontology.unifiedcyberontology.org/uco/types/',
  investigation: 'https://ontology.caseontology.org/case/investigation/',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
} as const;

/** A node of the graph. */
export interface Node {
  readonly '@id': string;
  readonly '@type': string;
  readonly [property: string]: unknown;
}

/** Points to a node. */
export interface Reference {
  readonly '@id': string;
}

/** A reference to a node. */
export function to(node: Node): Reference {
  return { '@id': node['@id'] };
}

/**
 * The name of a node: UCO wants each to end with a UUID. What has none of its own gets a UUIDv5
 * (RFC 9562 section 5.5) of the words that make it what it is, so that an export repeats itself.
 */
export function named(type: string, ...words: readonly string[]): string {
  const [word = ''] = words;
  const uuid = words.length === 1 && UUID.test(word) ? word : uuidOf([type, ...words]);
  return `kb:${type.slice(type.indexOf(':') + 1).toLowerCase()}-${uuid}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The name space of URLs (RFC 9562 section 6.6). */
const URLS = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');

function uuidOf(words: readonly string[]): string {
  const name = `urn:impound:${JSON.stringify(words)}`;
  const bytes = createHash('sha1').update(URLS).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** An xsd:dateTime. */
export function dateTime(time: string): object {
  return { '@type': 'xsd:dateTime', '@value': time };
}

/** An xsd:hexBinary; its canonical form has upper-case digits. */
export function hexBinary(hex: string): object {
  return { '@type': 'xsd:hexBinary', '@value': hex.toUpperCase() };
}
