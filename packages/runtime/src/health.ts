// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a probe is told. */
export interface Health {
  ready(): boolean;
}

/**
 * GET /healthz says that the process runs, GET /readyz that it works. Opened first and closed
 * last: it is also the handle that keeps the process alive. Gives the port.
 */
export async function openHealth(
  port: number,
  health: Health,
  scope: AsyncDisposableStack,
): Promise<number> {
  const answers: Readonly<Record<string, () => readonly [number, string]>> = {
    '/healthz': () => [200, 'ok\n'],
    '/readyz': () => (health.ready() ? [200, 'ok\n'] : [503, 'not ready\n']),
  };
  const server = createServer((request, response) => {
    const [status, text] = answers[request.url ?? '']?.() ?? [404, 'not found\n'];
    response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  });
  server.listen(port);
  await once(server, 'listening');
  scope.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
