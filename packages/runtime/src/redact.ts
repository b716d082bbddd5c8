// SPDX-License-Identifier: Apache-2.0

const HIDDEN = '[redacted]';
const DEPTH_MAX = 6;

/** Fields whose value is never logged, whatever it is. */
const NAMES = new RegExp(
  `^(${[
    'authorization|(set-)?cookie|passw(or)?d|secret|token|seed|nkey|credentials?',
    '(private|signing|api|client)[-_]?key(-data)?|kubeconfig|sig|signature',
  ].join('|')})$`,
  'i',
);

/** Shapes that secrets have, each with what may stay of it. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // queries of signed URLs, ours and those of object stores
  [/([?&;](?:[\w-]*(?:sig|signature|token|credential|secret|key)))=[^&\s"'<>]+/gi, `$1=${HIDDEN}`],
  [/([?&]X-(?:Amz|Goog)-[A-Za-z-]+)=[^&\s"'<>]+/gi, `$1=${HIDDEN}`],
  [/\b(Bearer|Basic|Token|ApiKey)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/\/\/[^/\s:@]*:[^/\s@]+@/g, `//${HIDDEN}@`],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, HIDDEN],
  // NKey seeds, webhook secrets, JSON web tokens, keys of AWS
  [/\bS[ACNOUX][A-Z2-7]{56}\b/g, HIDDEN],
  [/\bwhsec_[\w+/=-]{8,}/g, HIDDEN],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, HIDDEN],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN],
];

/**
 * The last line of defence of the log: a copy without what is named or shaped like a secret.
 * Whoever logs is still to log none.
 */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactedText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return HIDDEN;
  if (Array.isArray(value)) return value.map((one) => redacted(one, depth + 1));
  if (value instanceof Error) return redactedText(value.message);
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return redacted(value.toJSON(), depth + 1);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      NAMES.test(name) && one !== undefined ? HIDDEN : redacted(one, depth + 1),
    ]),
  );
}

/** A text without what is shaped like a secret. */
export function redactedText(text: string): string {
  return SHAPES.reduce((left, [shape, instead]) => left.replaceAll(shape, instead), text);
}
