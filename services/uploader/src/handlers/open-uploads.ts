// SPDX-License-Identifier: Apache-2.0
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { LEASE_MS } from '@impound/contracts/progress.ts';
import type { Ask } from '@impound/runtime/ask.ts';
import type { EvidenceStore } from '../domain/evidence-store.ts';
import { formatSession, type SessionName } from '../domain/object-name.ts';
import { type OpeningRefusal, refuseOpening } from '../domain/opening.ts';

/**
 * Uploads that are under way. A URL outlives the right to write: an epoch may lapse while its
 * holder is asleep, and what it still has is dropped, for nobody completes it.
 */
export interface OpenUploads {
  /** Somebody was given a URL for it. */
  opened(session: SessionName): void;
  /** It was completed or given up. */
  over(session: SessionName): void;
  /** Why it may not go on; undefined where it may, or where the ledger does not tell. */
  refusal(session: SessionName, signal: AbortSignal): Promise<OpeningRefusal | undefined>;
  /** Drops those that may not go on and that nobody has touched for a lease; gives how many. */
  sweep(signal: AbortSignal): Promise<number>;
}

/** An answer of the ledger counts for so long: a zombie writes no longer than that. */
const FRESH_MS = 1_000;
/** A ledger that is slow must not hold up a collection: its silence is no reason to refuse. */
const ASK_MS_MAX = 2_000;
const UPLOADS_MAX = 10_000;

interface Upload {
  readonly session: SessionName;
  touchedMs: number;
  askedMs: number;
  asking: Promise<OpeningRefusal | undefined> | undefined;
}

/** What an uploader needs to know when an upload may go on. */
interface Deps {
  readonly ask: Ask;
  readonly store: Pick<EvidenceStore, 'abandon'>;
  readonly now: () => number;
}

/** None known yet: the store tells what is unfinished, and each part tells of its own. */
export function openUploads(deps: Deps): OpenUploads {
  const known = new Map<string, Upload>();
  const upload = (session: SessionName): Upload => {
    const name = formatSession(session);
    const at = { touchedMs: deps.now(), askedMs: Number.NEGATIVE_INFINITY };
    const it = known.get(name) ?? { session, asking: undefined, ...at };
    it.touchedMs = at.touchedMs;
    known.set(name, it);
    const [oldest] = known.keys();
    if (known.size > UPLOADS_MAX && oldest !== undefined) known.delete(oldest);
    return it;
  };
  const over = (session: SessionName) => void known.delete(formatSession(session));
  const refused = async (it: Upload, signal: AbortSignal) => {
    it.asking ??= asked(deps, it, signal);
    const refusal = await it.asking;
    if (refusal === undefined) return undefined;
    over(it.session);
    await deps.store.abandon(it.session);
    return refusal;
  };
  return {
    opened: (session) => {
      upload(session).askedMs = deps.now();
    },
    over,
    refusal: async (session, signal) => {
      const it = upload(session);
      return deps.now() - it.askedMs < FRESH_MS ? undefined : await refused(it, signal);
    },
    sweep: async (signal) => {
      const before = deps.now() - LEASE_MS;
      const quiet = [...known.values()].filter(({ touchedMs }) => touchedMs < before);
      let swept = 0;
      for (const it of quiet) if ((await refused(it, signal)) !== undefined) swept += 1;
      return swept;
    },
  };
}

async function asked(
  { ask, now }: Deps,
  it: Upload,
  signal: AbortSignal,
): Promise<OpeningRefusal | undefined> {
  const { tenant, acquisitionId } = it.session;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ASK_MS_MAX)]);
  const head = await ask(LedgerHeadV1, { tenant, acquisitionId }, limited).catch(() => undefined);
  it.askedMs = now();
  it.asking = undefined;
  return head && refuseOpening(it.session, head);
}
