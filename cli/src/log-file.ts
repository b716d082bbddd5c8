// SPDX-License-Identifier: Apache-2.0
import { chmod } from 'node:fs/promises';
import { type Log, openLog } from '@impound/runtime/log.ts';
import { pino } from 'pino';

/** JSON lines of all services in one file, which only its owner can read. */
export async function openLogFile(
  file: string,
  scope: AsyncDisposableStack,
): Promise<(service: string) => Log> {
  const destination = pino.destination({ dest: file, append: true, sync: true, mode: 0o600 });
  scope.defer(() => destination.end());
  await chmod(file, 0o600).catch(() => undefined);
  return (service) => openLog(service, 'info', destination);
}
