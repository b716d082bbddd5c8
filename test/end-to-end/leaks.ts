// SPDX-License-Identifier: Apache-2.0

/** What must not be found, by a name that may be printed. */
export type Secrets = ReadonlyMap<string, string>;

/** Texts and bytes in which nothing secret may be, by where they are from. */
export type Places = ReadonlyMap<string, readonly (string | Uint8Array)[]>;

/** A piece of a secret this long tells enough to be a leak. */
const PIECE_CHARACTERS = 12;

/**
 * Looks for secrets, whole and in pieces, as they are and in base64, base64url, hex, URL-encoded
 * and JSON-escaped. Gives `secret in place` for each that is found, and nothing of the secret.
 */
export function leaksIn(places: Places, secrets: Secrets): readonly string[] {
  const pieces = new Map(
    [...secrets].flatMap(([name, secret]) =>
      formsOf(secret)
        .flatMap(piecesOf)
        .map((piece) => [piece, name] as const),
    ),
  );
  const beginnings = new Uint8Array(BEGINNINGS);
  for (const piece of pieces.keys()) beginnings[beginningAt(piece, 0)] = 1;
  const found = [...places].flatMap(([place, contents]) =>
    contents
      .flatMap((content) => [...namesIn(textOf(content), pieces, beginnings)])
      .map((name) => `${name} in ${place}`),
  );
  return [...new Set(found)].toSorted();
}

function textOf(content: string | Uint8Array): string {
  return typeof content === 'string' ? content : Buffer.from(content).toString('latin1');
}

const BEGINNINGS = 2 ** 20;

/** A number for the next four characters: most places in a text are passed over by it alone. */
function beginningAt(text: string, at: number): number {
  const first = (text.charCodeAt(at) << 15) ^ (text.charCodeAt(at + 1) << 10);
  const second = (text.charCodeAt(at + 2) << 5) ^ text.charCodeAt(at + 3);
  return (first ^ second) & (BEGINNINGS - 1);
}

function namesIn(
  text: string,
  pieces: ReadonlyMap<string, string>,
  beginnings: Uint8Array,
): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at = 0; at + PIECE_CHARACTERS <= text.length; at++) {
    if (beginnings[beginningAt(text, at)] === 0) continue;
    const name = pieces.get(text.slice(at, at + PIECE_CHARACTERS));
    if (name !== undefined) names.add(name);
  }
  return names;
}

function piecesOf(form: string): readonly string[] {
  const last = form.length - PIECE_CHARACTERS;
  return Array.from({ length: Math.max(0, last + 1) }, (_, at) =>
    form.slice(at, at + PIECE_CHARACTERS),
  );
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString('hex');
  const percent = [...hex.matchAll(/../g)].map(([pair]) => `%${pair}`).join('');
  return [
    bytes.toString('latin1'),
    ...[0, 1, 2].flatMap((offset) => base64Within(bytes, offset)),
    ...[hex, hex.toUpperCase(), percent, percent.toUpperCase()],
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  ];
}

/** The characters of base64 that depend on these bytes alone, wherever in a text they begin. */
function base64Within(bytes: Buffer, offset: number): readonly string[] {
  const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
  const from = Math.ceil((offset * 4) / 3);
  const to = Math.floor((whole.length * 8) / 6);
  return (['base64', 'base64url'] as const).map((name) => whole.toString(name).slice(from, to));
}
