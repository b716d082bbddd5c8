// SPDX-License-Identifier: Apache-2.0
import { LedgerAuditV1 } from '@impound/contracts/ask/ledger.audit.v1.ts';
import { LedgerCheckpointV1 } from '@impound/contracts/ask/ledger.checkpoint.v1.ts';
import { LedgerConsistencyV1 } from '@impound/contracts/ask/ledger.consistency.v1.ts';
import { LedgerEntryV1 } from '@impound/contracts/ask/ledger.entry.v1.ts';
import { LedgerHeadV1 } from '@impound/contracts/ask/ledger.head.v1.ts';
import { LedgerHeadsV1 } from '@impound/contracts/ask/ledger.heads.v1.ts';
import { LedgerHistoryV1 } from '@impound/contracts/ask/ledger.history.v1.ts';
import { LedgerListV1 } from '@impound/contracts/ask/ledger.list.v1.ts';
import { LedgerOpenV1 } from '@impound/contracts/ask/ledger.open.v1.ts';
import { LedgerProofV1 } from '@impound/contracts/ask/ledger.proof.v1.ts';
import { LedgerSignersV1 } from '@impound/contracts/ask/ledger.signers.v1.ts';
import { LedgerStampsV1 } from '@impound/contracts/ask/ledger.stamps.v1.ts';
import { LedgerTileV1 } from '@impound/contracts/ask/ledger.tile.v1.ts';
import { CheckpointStampedV1 } from '@impound/contracts/checkpoint/stamped.v1.ts';
import { ConflictNoticedV1 } from '@impound/contracts/conflict/noticed.v1.ts';
import { ExecutionFencedV1 } from '@impound/contracts/execution/fenced.v1.ts';
import { GuardsBrokenV1 } from '@impound/contracts/guards/broken.v1.ts';
import { HeadsRootedV1 } from '@impound/contracts/heads/rooted.v1.ts';
import { KeyRegisteredV1 } from '@impound/contracts/key/registered.v1.ts';
import { KeyRetiredV1 } from '@impound/contracts/key/retired.v1.ts';
import { LogBeganV1 } from '@impound/contracts/log/began.v1.ts';
import { SignerRegisteredV1 } from '@impound/contracts/signer/registered.v1.ts';
import { SignerRetiredV1 } from '@impound/contracts/signer/retired.v1.ts';
import { openDoor } from '@impound/runtime/door.ts';
import { measuresOf } from '@impound/runtime/metrics.ts';
import { type Database, openDatabase } from '@impound/runtime/postgres.ts';
import type { Secret } from '@impound/runtime/secret.ts';
import { answer, type House, service } from '@impound/runtime/service.ts';
import { wait } from '@impound/runtime/wait.ts';
import { signedText } from '@impound/transparency/signed-text.ts';
import { busReturns, natsConsumers, natsStream, tellVerdict } from './adapters/nats-stream.ts';
import { nodeTools } from './adapters/node-tools.ts';
import { openOutside, ownLogs, witnessedBy } from './adapters/open-outside.ts';
import { postgresAudit } from './adapters/postgres-audit.ts';
import { postgresChains } from './adapters/postgres-chains.ts';
import { postgresCheckpoints } from './adapters/postgres-checkpoints.ts';
import { postgresHeads } from './adapters/postgres-heads.ts';
import { postgresLog } from './adapters/postgres-log.ts';
import { postgresOpenTypes } from './adapters/postgres-open-types.ts';
import { postgresOutside } from './adapters/postgres-outside.ts';
import { postgresPen } from './adapters/postgres-pen.ts';
import { postgresProofs } from './adapters/postgres-proofs.ts';
import { postgresSigners } from './adapters/postgres-signers.ts';
import { postgresStamps } from './adapters/postgres-stamps.ts';
import { type Config, config } from './config.ts';
import { asked, readGuards } from './db/guards.ts';
import { readOwn } from './db/own.ts';
import { checkSessions } from './db/sessions.ts';
import { checkWhole } from './db/tree.ts';
import { guardFaults } from './domain/guards.ts';
import { ownChain } from './domain/own-chain.ts';
import { checkKeys } from './handlers/begin-log.ts';
import { type Checkpointed, type Checkpointing, checkpointing } from './handlers/checkpointing.ts';
import { freshHeads, GATHER_MS } from './handlers/fresh-heads.ts';
import { lead, type Written } from './handlers/lead.ts';
import { ledgerAudit } from './handlers/ledger-audit.ts';
import { ledgerCheckpoint, publicKeysOf } from './handlers/ledger-checkpoint.ts';
import { ledgerConsistency } from './handlers/ledger-consistency.ts';
import { ledgerEntry } from './handlers/ledger-entry.ts';
import { ledgerHead } from './handlers/ledger-head.ts';
import { ledgerHeads } from './handlers/ledger-heads.ts';
import { ledgerHistory } from './handlers/ledger-history.ts';
import { ledgerList } from './handlers/ledger-list.ts';
import { ledgerOpen } from './handlers/ledger-open.ts';
import { ledgerProof } from './handlers/ledger-proof.ts';
import { ledgerSigners } from './handlers/ledger-signers.ts';
import { ledgerStamps } from './handlers/ledger-stamps.ts';
import { ledgerTile } from './handlers/ledger-tile.ts';
import { openLogHeads } from './handlers/log-heads.ts';
import { mirrorMemory } from './handlers/mirroring.ts';
import { checkMemories } from './handlers/outside.ts';
import type { Added } from './handlers/ports.ts';
import { readingAll } from './handlers/practice.ts';
import { relaying } from './handlers/relay.ts';
import { openSeals } from './handlers/seals.ts';
import { type ShowingOn, showing } from './handlers/showing.ts';
import { readyToStart } from './handlers/start.ts';

const READERS_MAX = 4;
const MINUTE_MS = 60_000;

/** The event store: every fact is committed here before anybody hears of it. */
export const ledger = service({
  name: 'ledger',
  config,
  open: async (given, scope, house) => {
    const { DATABASE_URL, LOG_KEYS, STALL_MS } = given;
    const name = house.worker;
    const sql = openDatabase(DATABASE_URL, { connectionsMax: READERS_MAX, name }, scope);
    const log = postgresLog(sql);
    const stream = natsStream(house);
    void tellVerdict(house);
    const signing = { keys: LOG_KEYS, signers: given.SIGNERS ?? {}, statements: signedText };
    const checkOwn = async () => checkKeys(await asked(() => readOwn(sql)), signing);
    const guards = { check: () => checkGiven(DATABASE_URL, sql).then(checkOwn) };
    await readyToStart({ guards, log, stream, logging: house.log }, house.stopping);
    const shown = await openShown({ given, sql, scope }, house);
    const relay = {
      stream,
      log,
      logging: house.log,
      stallMs: STALL_MS,
      watchReturns: busReturns(house),
    };
    const book = postgresCheckpoints(sql);
    const signed = { book, signers: LOG_KEYS, logging: house.log };
    const stop = new AbortController();
    const toShow = { ...shown, stop: () => stop.abort() };
    const leading = lead(
      {
        pens: postgresPen(DATABASE_URL, name),
        tools: nodeTools(name),
        log: house.log,
        openDoor: (come, signal) => openDoor(house, come, signal),
        relay: (size, signal) => relaying({ ...relay, size }, signal),
        signing,
        checkpoint: (written, signal) => signAndShow(written, { signed, toShow }, signal),
        house: {
          measures: measuresOf(house.service),
          open: postgresOpenTypes(sql),
          consumers: natsConsumers(house),
        },
      },
      AbortSignal.any([house.stopping, stop.signal]),
    );
    scope.defer(async () => {
      stop.abort();
      await leading;
    });
    const chains = postgresChains(sql);
    const proofs = postgresProofs(sql, witnessedBy(given.POLICY));
    return {
      chains,
      audit: postgresAudit(sql),
      headOf: freshHeads(chains, () => wait(GATHER_MS, house.stopping)),
      proofs,
      stamps: postgresStamps(sql),
      signers: postgresSigners(sql),
      ...{ heads: shown.heads, headsBook: shown.headsBook },
      certificates: given.TSA_CERTIFICATES,
      publicKeys: publicKeysOf(LOG_KEYS, given.POLICY),
    };
  },
  says: [
    ConflictNoticedV1,
    ExecutionFencedV1,
    LogBeganV1,
    KeyRegisteredV1,
    KeyRetiredV1,
    CheckpointStampedV1,
    GuardsBrokenV1,
    SignerRegisteredV1,
    SignerRetiredV1,
    HeadsRootedV1,
  ],
  hears: [],
  practice: readingAll,
  answers: [
    answer(LedgerHistoryV1, ledgerHistory),
    answer(LedgerHeadV1, ledgerHead),
    answer(LedgerOpenV1, ledgerOpen),
    answer(LedgerListV1, ledgerList),
    answer(LedgerEntryV1, ledgerEntry),
    answer(LedgerCheckpointV1, ledgerCheckpoint),
    answer(LedgerTileV1, ledgerTile),
    answer(LedgerProofV1, ledgerProof),
    answer(LedgerConsistencyV1, ledgerConsistency),
    answer(LedgerStampsV1, ledgerStamps),
    answer(LedgerSignersV1, ledgerSigners),
    answer(LedgerHeadsV1, ledgerHeads),
    answer(LedgerAuditV1, ledgerAudit),
  ],
});

interface Signing {
  readonly signed: Omit<Checkpointed, 'standing'>;
  readonly toShow: Omit<ShowingOn, 'sayOwn' | 'sealed' | 'standing'>;
}

/** Signs what a term writes, and shows it to everybody outside. */
function signAndShow(
  { standing, sayOwn }: Written,
  { signed, toShow }: Signing,
  signal: AbortSignal,
): Checkpointing {
  const signing = checkpointing({ ...signed, standing }, signal);
  const { sealed, heard } = openSeals();
  const shown = showing({ ...toShow, standing, sayOwn, sealed }, signal);
  const committed = (added: Added) => {
    signing.committed(added);
    heard(added);
  };
  const ended = Promise.all([signing.ended, shown]).then(() => undefined);
  return { committed, ended };
}

/** Those outside of the database. Rejects where one of them remembers another log than this. */
async function openShown(
  on: { readonly given: Config; readonly sql: Database; readonly scope: AsyncDisposableStack },
  { log: logging, stopping }: Pick<House, 'log' | 'stopping'>,
): Promise<Omit<ShowingOn, 'stop' | 'sayOwn' | 'sealed' | 'standing'>> {
  const { given, sql, scope } = on;
  const chain = ownChain(await asked(() => readOwn(sql)));
  const { own: logs, ...heads } = ownLogs(given.LOG_KEYS, chain?.signed ?? []);
  const outside = await openOutside(given, { own: logs, ...heads }, scope);
  const book = postgresOutside(sql);
  const mirrors = outside.mirror ? [mirrorMemory({ store: outside.mirror, logs })] : [];
  const headsBook = postgresHeads(sql);
  await checkMemories([...outside.witnesses, ...mirrors], book, logging, stopping);
  return {
    ...{ ...outside, book, logs, logging, stampMs: given.TSA_MINUTES * MINUTE_MS },
    guardFaults: async () => guardFaults(await asked(() => readGuards(sql))),
    guardMs: given.GUARD_MS,
    ...{ headsBook, heads: openLogHeads(headsBook), headsMs: given.HEADS_MS },
  };
}

async function checkGiven(url: Secret, sql: Database): Promise<void> {
  await using scope = new AsyncDisposableStack();
  const other = openDatabase(url, { connectionsMax: 1, name: 'ledger-start' }, scope);
  await checkSessions(sql, other);
  await checkWhole(sql);
}
