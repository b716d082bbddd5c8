// SPDX-License-Identifier: Apache-2.0
import { unwatchFile, watchFile } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { busKeys, seedFile } from '@impound/runtime/bus-keys.ts';
import { type NatsServer, startNatsServer } from '@impound/runtime/embedded/nats-server.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { Log } from '@impound/runtime/log.ts';
import { natsConfig, permissionsConfig, usersConfig } from '@impound/runtime/nats-config.ts';
import { integrationsConfig } from '@impound/runtime/nats-integrations.ts';
import { wait } from '@impound/runtime/wait.ts';
import { integrationsFile, readIntegrations } from './integrations.ts';

/** A bus with the accounts and permissions of a deployment. */
export interface Bus extends AsyncDisposable {
  readonly url: string;
  readonly version: string;
  /** The seed by which a service proves who it is. */
  seedFile(service: string): string;
  /**
   * Lets integrations in and out as their file changes, and starts the server again where it ends
   * by itself, until it is disposed.
   */
  tend(log: Log): AsyncDisposable;
  /** For drills: kills it, deletes all it kept, and starts it empty on the same port. */
  lose(): Promise<void>;
}

/** The folder of the seeds, one for each identity on the bus. */
const BUS_KEYS = 'bus-keys';
const LOOK_MS = 500;
const AGAIN_MS = 1_000;
const WORDS_MAX = 200;
/** What a program in Go says before the long list of all that it did. */
const LAST_WORDS = /^(?:fatal error|panic): .*$/m;

/** Starts one in a data directory: nobody is trusted more because all is on one machine. */
export async function startBus(
  { dataDir, binary }: { readonly dataDir: string; readonly binary: string | undefined },
  signal: AbortSignal,
): Promise<Bus> {
  const keys = join(dataDir, BUS_KEYS);
  const storeDir = join(dataDir, 'nats');
  const users = `${permissionsConfig()}\n${usersConfig(await busKeys(keys))}`;
  const configure = async () => {
    const { integrations } = await readIntegrations(integrationsFile(dataDir));
    const accounts = integrationsConfig(integrations, Date.now());
    return natsConfig({ head: '', users, integrations: accounts });
  };
  const begin = async (port?: number) =>
    await startNatsServer({ storeDir, binary, port, config: await configure() }, signal);
  let nats: NatsServer = await begin();
  let tended: Log | undefined;
  const tend = (): void => {
    const one = nats;
    const again = async (words: string) => {
      // What was ended on purpose is not this one any more.
      if (tended === undefined || one !== nats) return;
      const because = LAST_WORDS.exec(words)?.[0] ?? words.slice(-WORDS_MAX);
      tended.error('bus ended: it is started again', { because });
      nats = await untilDone(() => begin(one.port), signal);
      tend();
    };
    one.ended.then(again).catch(() => undefined);
  };
  return {
    url: nats.url,
    version: nats.version,
    seedFile: (service) => seedFile(keys, service),
    tend: (log) => {
      tended = log;
      tend();
      const following = follow(integrationsFile(dataDir), async () => {
        try {
          await nats.reload(await configure());
          log.info('bus knows the integrations as they are now');
        } catch (error) {
          log.error('bus not told', { because: messageOf(error) });
        }
      });
      return {
        [Symbol.asyncDispose]: async () => {
          tended = undefined;
          await following[Symbol.asyncDispose]();
        },
      };
    },
    lose: async () => {
      const log = tended;
      tended = undefined;
      await nats.kill();
      await rm(storeDir, { recursive: true });
      nats = await begin(nats.port);
      tended = log;
      tend();
    },
    [Symbol.asyncDispose]: () => nats.stop(),
  };
}

async function untilDone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    const done = await work().catch(() => undefined);
    if (done !== undefined) return done;
    await wait(AGAIN_MS, signal);
    signal.throwIfAborted();
  }
}

/** Calls after each change of a file, one call at a time, until the last one has ended. */
function follow(file: string, changed: () => Promise<void>): AsyncDisposable {
  let before = Promise.resolve();
  const listen = () => {
    before = before.then(changed);
  };
  watchFile(file, { interval: LOOK_MS, persistent: false }, listen);
  return {
    [Symbol.asyncDispose]: async () => {
      unwatchFile(file, listen);
      await before;
    },
  };
}
