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
  const server = createServer((request, response) => {
    const ready = request.url === '/healthz' || (request.url === '/readyz' && health.ready());
    const known = request.url === '/healthz' || request.url === '/readyz';
    response.writeHead(known ? (ready ? 200 : 503) : 404, { 'content-type': 'text/plain' });
    response.end(known ? (ready ? 'ok\n' : 'not ready\n') : 'not found\n');
  });
  server.listen(port);
  await once(server, 'listening');
  scope.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
