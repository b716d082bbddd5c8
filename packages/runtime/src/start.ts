// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { answering } from './answer.ts';
import { asker } from './ask.ts';
import { openBus, watchForbidden } from './bus.ts';
import { type Environment, houseConfig, readConfig } from './config.ts';
import { Never } from './fault.ts';
import { handling } from './hear.ts';
import { newWorkerId } from './ids.ts';
import { sayKept, working } from './job.ts';
import { type Log, openLog } from './log.ts';
import { sayer } from './say.ts';
import type { AnyService, House } from './service.ts';
import { openSpool, type Spool } from './spool.ts';
import type { StatementSigner } from './statement.ts';
import { unlessAborted, wait } from './wait.ts';

/** A service that runs. Disposing it stops hearing, lets work end, and closes what was opened. */
export interface Running extends AsyncDisposable {
  readonly service: string;
  readonly worker: string;
  /** Aborts when the bus has refused its credentials for good: nothing works from then on. */
  readonly lost: AbortSignal;
}

const SHUTDOWN_MS = 15_000;
const FLUSH_MS_MAX = 2_000;

/**
 * Opens one service and lets it work. The same for a process of its own and for many services in
 * one process: nothing in a service may know which of the two it is. Waits for a bus that is away;
 * the signal ends that, and afterwards changes nothing.
 */
export async function start(
  service: AnyService,
  environment: Environment,
  log?: Log,
  signal: AbortSignal = new AbortController().signal,
): Promise<Running> {
  const config = readConfig(service.config.extend(houseConfig.shape), environment);
  const own = readConfig(service.config, environment);
  const stop = new AbortController();
  await using opening = new AsyncDisposableStack();
  const worker = newWorkerId(service.name);
  const logging = log ?? openLog(service.name, config['LOG_LEVEL'] as 'info');
  const connection = await openBus(
    {
      url: String(config['NATS_URL']),
      nkeyFile: config['NATS_NKEY_FILE'] as string | undefined,
      service: service.name,
      worker,
    },
    logging,
    opening,
    signal,
  );
  const permitted = watchForbidden(connection);
  // Whatever the service has begun ends with an open that fails, before its connection does.
  opening.defer(() => stop.abort());
  const house: House = {
    service: service.name,
    worker,
    log: logging,
    ask: asker(connection, service.name),
    say: sayer(connection, `/impound/${service.name}/${worker}`, logging),
    connection,
    signer: config['STATEMENT_KEY'] as StatementSigner | undefined,
    spool: await spoolOf(service, config['SPOOL_DIR'] as string | undefined, logging),
    stopping: stop.signal,
  };
  const deps = await unlessAborted(service.open(own, opening, house), signal);
  const answers = answering(service.answers, deps, house);
  const hearing = service.hears.map((one) =>
    one.kind === 'job' ? working(one, deps, house) : handling(one, deps, house),
  );
  if (house.spool !== undefined) hearing.push(sayKept(house, house.spool, service.says));
  // Whoever is told that the service runs can ask it: the subscriptions have reached the server.
  const limit = AbortSignal.timeout(FLUSH_MS_MAX);
  await unlessAborted(permitted(), limit).catch((error: unknown) => {
    if (error instanceof Never) throw error;
  });
  const scope = opening.move();
  return {
    service: service.name,
    worker,
    lost: lostWith(connection, stop.signal),
    [Symbol.asyncDispose]: async () => {
      for (const subscription of answers) subscription.unsubscribe();
      stop.abort();
      const over = new AbortController();
      await Promise.race([Promise.allSettled(hearing), wait(SHUTDOWN_MS, over.signal)]);
      over.abort();
      await scope.disposeAsync();
    },
  };
}

/** Only those who work have results to keep. */
async function spoolOf(
  service: AnyService,
  folder: string | undefined,
  log: Log,
): Promise<Spool | undefined> {
  const works = service.hears.some(({ kind }) => kind === 'job');
  if (folder === undefined || !works) return undefined;
  return await openSpool(join(folder, service.name), log);
}

function lostWith(connection: NatsConnection, stopping: AbortSignal): AbortSignal {
  const lost = new AbortController();
  void connection.closed().then((error) => {
    if (!stopping.aborted) lost.abort(error ?? new Error('the connection to the bus was closed'));
  });
  return lost.signal;
}
