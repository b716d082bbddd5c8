// SPDX-License-Identifier: Apache-2.0
import type { First, Tools } from '../domain/batch.ts';
import { type Decided, decide } from '../domain/decide.ts';
import type { ChainHead } from '../domain/head.ts';
import type { Say } from '../domain/say.ts';
import type { HeadCache } from './head-cache.ts';
import type { Pen } from './ports.ts';

/** What deciding needs of the world. */
export interface Deciding {
  readonly pen: Pick<Pen, 'known'>;
  readonly heads: HeadCache;
  readonly tools: Tools;
}

/** The log that says are decided on: so long, and with what is being committed meanwhile. */
export interface Onto {
  readonly size: number;
  readonly ahead?: Pick<Decided, 'firsts' | 'heads'> | undefined;
  /** True: what nothing is known of is taken for new. The log refuses it where it is not. */
  readonly asNew?: boolean | undefined;
}

type Head = ChainHead | null;

const LOOKUPS_MAX = 16;
/** program_limit_exceeded of Postgres, for a limit of our own: the batch is halved. */
const TOO_MUCH = '54000';

/**
 * Decides again for as long as deciding shows that more of the log must be known. What was taken
 * for new is decided so only where all of it is appended: then the log's own keys hold against it.
 */
export async function decideWhole(
  deciding: Deciding,
  says: readonly Say[],
  onto: Onto,
): Promise<Decided> {
  const decided = await decideLooking(deciding, says, onto);
  const holds = decided.replies.every((reply) => reply.ok && !reply.repeated);
  if (holds || !onto.asNew) return decided;
  return await decideLooking(deciding, says, { ...onto, asNew: false });
}

async function decideLooking(
  deciding: Deciding,
  says: readonly Say[],
  onto: Onto,
): Promise<Decided> {
  const known = { firsts: new Map<string, First | null>(), heads: new Map<string, Head>() };
  const begun = new Set(onto.asNew ? says.filter(begins).map(({ event }) => event.subject) : []);
  let ids: Iterable<string> = new Set(says.map(({ event }) => event.id));
  let acqs: Iterable<string> = new Set(says.map(({ event }) => event.subject));
  for (let lookup = 1; lookup <= LOOKUPS_MAX; lookup++) {
    await look({ ...deciding, ...onto, begun }, { ids, acqs }, known);
    const decided = decide(says, known, { size: onto.size, tools: deciding.tools });
    if (decided.unknown.ids.size === 0 && decided.unknown.acqs.size === 0) return decided;
    ({ ids, acqs } = decided.unknown);
  }
  const because = `a batch of ${says.length} is not decided after ${LOOKUPS_MAX} lookups`;
  throw Object.assign(new Error(because), { code: TOO_MUCH });
}

function begins({ contract }: Say): boolean {
  return contract.begins === true;
}

/** What is being committed counts as committed: if it fails, what is decided here is dropped. */
async function look(
  { pen, heads, ahead, asNew, begun }: Deciding & Onto & { readonly begun: ReadonlySet<string> },
  wanted: { readonly ids: Iterable<string>; readonly acqs: Iterable<string> },
  known: { readonly firsts: Map<string, First | null>; readonly heads: Map<string, Head> },
): Promise<void> {
  const headOf = (acq: string) => ahead?.heads.get(acq) ?? heads.get(acq) ?? newOf(begun.has(acq));
  const firstOf = (id: string) => ahead?.firsts.get(id) ?? newOf(asNew === true);
  const ids = without(wanted.ids, known.firsts, firstOf);
  const acqs = without(wanted.acqs, known.heads, headOf);
  if (ids.length + acqs.length === 0) return;
  const read = await pen.known(ids, acqs);
  for (const [id, first] of read.firsts) known.firsts.set(id, first);
  for (const [acq, head] of read.heads) {
    known.heads.set(acq, head);
    if (head !== null) heads.set(acq, head);
  }
}

/** What is taken for new is known not to be there. */
function newOf(isNew: boolean): null | undefined {
  return isNew ? null : undefined;
}

/** Which of these are not at hand; what is at hand is known from now on. */
function without<T>(
  wanted: Iterable<string>,
  known: Map<string, T | null>,
  atHand: (key: string) => T | null | undefined,
): string[] {
  return [...wanted].filter((key) => {
    const found = atHand(key);
    if (found !== undefined) known.set(key, found);
    return found === undefined;
  });
}
