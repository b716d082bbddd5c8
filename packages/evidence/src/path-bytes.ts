// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { EvidenceFault } from './fault.ts';
import { PATH_BYTES_MAX, TAR_COMPONENT_BYTES_MAX, TAR_PATH_BYTES_MAX } from './limits.ts';

/**
 * The first component of every member's name: `files` for what lay in the container's file
 * systems, `volatile` for output of commands, `context` for what the control plane said.
 */
export const AREAS = ['files', 'volatile', 'context'] as const;
export type Area = (typeof AREAS)[number];

/** Where the members lie whose own name no tar could extract. */
export const LONG = 'long';

const SLASH = 0x2f;
const DOT = 0x2e;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder('utf-8', { ignoreBOM: true });

/** The bytes of a path or link target. Throws EvidenceFault `path-refused`. */
export function bytesOf(path: string | Uint8Array): Buffer {
  if (typeof path === 'string' && !path.isWellFormed()) {
    throw new EvidenceFault('path-refused', 'a name with a lone surrogate: pass its bytes instead');
  }
  const bytes = Buffer.from(path);
  if (bytes.length > PATH_BYTES_MAX) {
    throw new EvidenceFault('path-refused', `a name longer than ${PATH_BYTES_MAX} bytes`);
  }
  return bytes;
}

/** The text of valid UTF-8, or undefined. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text for people: what is no UTF-8 becomes U+FFFD. */
export function lossyText(bytes: Uint8Array): string {
  return lossy.decode(bytes);
}

/** A hostile name for a message or a report: printable ASCII, everything else as \xNN, cut. */
export function printable(bytes: Uint8Array, bytesMax = 160): string {
  let text = '';
  for (const byte of bytes.subarray(0, bytesMax)) {
    const plain = byte > 0x1f && byte < 0x7f && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return bytes.length > bytesMax ? `${text}…` : text;
}

/**
 * Why a relative name is refused, or undefined: no NUL, no empty, `.` or `..` component, and so
 * neither absolute nor escaping.
 */
export function refusalOf(name: Uint8Array): string | undefined {
  if (name.length === 0) return 'an empty name';
  if (name.includes(0)) return 'a NUL in a name';
  for (const component of components(name)) {
    if (component.length === 0) return 'an absolute name or an empty component';
    if (isDots(component)) return 'a . or .. component';
  }
  return undefined;
}

function isDots(component: Uint8Array): boolean {
  return component.length <= 2 && component.every((byte) => byte === DOT);
}

function* components(name: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let end = name.indexOf(SLASH); end >= 0; end = name.indexOf(SLASH, start)) {
    yield name.subarray(start, end);
    start = end + 1;
  }
  yield name.subarray(start);
}

/**
 * The member's name for a path: `files/…` and the absolute path without its leading slash, or
 * `volatile/…`, `context/…` and the relative one. A name that a tar could not extract becomes
 * `long/` and the SHA-256 of the name it would have had. Throws EvidenceFault `path-refused`.
 */
export function tarPathOf(area: Area, path: Uint8Array): Buffer {
  const relative = area === 'files' ? withoutRoot(path) : path;
  if (relative.length === 0 && area === 'files') return Buffer.from(area);
  const refusal = refusalOf(relative);
  if (refusal !== undefined) {
    throw new EvidenceFault('path-refused', `${refusal} (${area}): ${printable(path)}`);
  }
  const name = Buffer.concat([Buffer.from(`${area}/`), relative]);
  if (extractable(name)) return name;
  return Buffer.from(`${LONG}/${createHash('sha256').update(name).digest('hex')}`);
}

function withoutRoot(path: Uint8Array): Uint8Array {
  if (path[0] === SLASH) return path.subarray(1);
  throw new EvidenceFault('path-refused', `not an absolute path: ${printable(path)}`);
}

function extractable(name: Uint8Array): boolean {
  if (name.length > TAR_PATH_BYTES_MAX) return false;
  return [...components(name)].every((component) => component.length <= TAR_COMPONENT_BYTES_MAX);
}

/** True for a name that begins with an area or with `long`. */
export function inKnownPlace(name: Uint8Array): boolean {
  const [first] = components(name);
  const place = first === undefined ? '' : Buffer.from(first).toString('latin1');
  return place === LONG || AREAS.some((area) => area === place);
}
