// SPDX-License-Identifier: Apache-2.0
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigFault } from '@impound/runtime/config.ts';
import { Secret } from '@impound/runtime/secret.ts';
import { type Caller, TokenList } from '../domain/caller.ts';
import { BURST_MAX, REQUESTS_PER_SECOND } from '../domain/limits.ts';
import { Refusal } from '../domain/problem.ts';
import { rateOf } from '../domain/rate.ts';

/** Knows callers by their tokens, and how often each may come. */
export interface BearerTokens {
  /** Throws Refusal. Takes as long for a wrong token as for a right one. */
  admit(token: string | undefined): Caller;
}

const TOKEN_CHARACTERS_MAX = 512;

/** Reads the list from a file or a text. Throws ConfigFault, which never repeats a token. */
export async function loadTokens(from: {
  readonly text?: Secret | undefined;
  readonly file?: string | undefined;
}): Promise<TokenList> {
  if ((from.text === undefined) === (from.file === undefined)) {
    throw new ConfigFault(
      'the environment does not fit:\n  give TOKENS or TOKENS_FILE, one of them',
    );
  }
  const source = from.file === undefined ? 'TOKENS' : 'TOKENS_FILE';
  const text =
    from.text ??
    (await readFile(from.file ?? '', 'utf8').then(
      (read) => new Secret(read),
      (cause: unknown) => {
        throw new ConfigFault(`${source} cannot be read`, { cause });
      },
    ));
  const parsed = TokenList.safeParse(jsonOf(text, source));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ConfigFault(`${source} is not what it should be:\n  ${faults.join('\n  ')}`);
}

function jsonOf(text: Secret, source: string): unknown {
  try {
    return JSON.parse(text.reveal());
  } catch {
    // The parser's own message would repeat a piece of the text.
    throw new ConfigFault(`${source} is no JSON`);
  }
}

/** Compares digests, each with each, so that neither time nor memory tells how near a guess is. */
export function bearerTokens(list: TokenList, now: () => number): BearerTokens {
  const known = list.map(({ token, tokenSha256, actor, tenant, mayApprove, approval }) => ({
    digest: token === undefined ? Buffer.from(tokenSha256 ?? '', 'hex') : digestOf(token),
    caller: { actor: { ...actor, authn: 'bearer-token' as const }, tenant, mayApprove, approval },
  }));
  const rate = rateOf({ burst: BURST_MAX, perSecond: REQUESTS_PER_SECOND });
  return {
    admit: (token) => {
      const given = digestOf(token?.slice(0, TOKEN_CHARACTERS_MAX + 1) ?? '');
      let found: Caller | undefined;
      for (const { digest, caller } of known) {
        if (timingSafeEqual(digest, given)) found = caller;
      }
      if (found === undefined) {
        throw new Refusal('token-refused', 'send Authorization: Bearer <token> with a known token');
      }
      if (rate.take(JSON.stringify([found.tenant, found.actor.id]), now())) return found;
      throw new Refusal('too-many', `at most ${REQUESTS_PER_SECOND} requests a second`);
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
