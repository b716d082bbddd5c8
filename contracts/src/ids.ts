// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';

/** One acquisition, which is one chain: UUIDv7, made by whoever asks first. */
export const AcquisitionId = z.uuid().brand<'AcquisitionId'>();
export type AcquisitionId = z.output<typeof AcquisitionId>;

/** An investigation, as its owner names it, e.g. IR-2026-017. */
export const CaseId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a case id is 1 to 64 of A-Z a-z 0-9 . _ -')
  .brand<'CaseId'>();
export type CaseId = z.output<typeof CaseId>;

/** One event: a UUIDv7 where a chain begins; derived from its cause, and beginning as it does. */
export const EventId = z.uuid().brand<'EventId'>();
export type EventId = z.output<typeof EventId>;

/** A tenant, one subject token. */
export const Tenant = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a tenant is 1 to 64 of A-Z a-z 0-9 _ -')
  .brand<'Tenant'>();
export type Tenant = z.output<typeof Tenant>;

/** One running process of a service; a restarted process is another worker. */
export const WorkerId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/)
  .brand<'WorkerId'>();
export type WorkerId = z.output<typeof WorkerId>;

/** The right to touch the target: grows by one with each assignment, and only one is live. */
export const Epoch = z.int().min(1).max(1_000);

/** SHA-256, lower-case hex. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 lower-case hex digits');

/** An Ed25519 key: the 32 bytes of RFC 8032 in base64. */
export const PublicKey = z.base64().length(44);

/** An Ed25519 signature in base64. */
export const Signature = z.base64().length(88);

/** RFC 3339 UTC with exactly six decimals: sorts as text and hashes the same everywhere. */
export const Time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'a time is RFC 3339 UTC, six decimals');

/** Text that people read: bounded, well-formed, without control characters but newline and tab. */
export function text(charactersMax: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(charactersMax)
    .refine((value) => value.isWellFormed(), 'lone surrogates are not text')
    .refine((value) => !hasControls(value), 'control characters are not text');
}

function hasControls(value: string): boolean {
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if (code === 0x7f || (code < 0x20 && code !== 0x0a && code !== 0x09)) return true;
  }
  return false;
}

/** A reason in kebab-case, for machines. */
export const Code = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
  .max(64);

/** A safe, non-negative integer: bytes, counts, milliseconds. */
export const Count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const WORD = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const WORD_CHARACTERS_MAX = 64;

/** Words of which later versions may have more: a word that a reader does not know is `unknown`. */
export function openWords<const Words extends readonly string[]>(words: Words) {
  const known: z.ZodEnum<{ [Word in Words[number] | 'unknown']: Word }> = z.enum([
    ...words,
    'unknown',
  ]) as never;
  const later = z.string().max(WORD_CHARACTERS_MAX).regex(WORD);
  return z.union([known, later.transform(() => 'unknown' as const)]);
}
