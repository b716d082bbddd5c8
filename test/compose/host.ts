// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Lab, startCluster } from '@impound/lab/cluster.ts';
import { DEMO_COLLECTOR, DEMO_READER, demoScenario } from '@impound/lab/scenarios.ts';
import { output } from './docker.ts';

/** A pretend cluster on this machine that containers reach, and kubeconfigs that say how. */
export interface Host extends AsyncDisposable {
  readonly lab: Lab;
  readonly folder: string;
  /** Address of this machine as containers reach it. */
  readonly address: string;
  readonly kubeconfig: { readonly collector: string; readonly reader: string };
  /** Lets containers in to a port of 127.0.0.1: gives the one at the address above. */
  door(to: number): Promise<number>;
}

export async function openHost(): Promise<Host> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'impound-compose-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const lab = opening.use(await startCluster(demoScenario()));
  const address = await bridgeAddress();
  const doors = opening.use(new AsyncDisposableStack());
  const door = (to: number) => forward({ host: address, to }, doors);
  const port = await door(Number(new URL(lab.url).port));
  const kubeconfig = async (name: string, account: string) => {
    const path = join(folder, `${name}.yaml`);
    const text = lab.kubeconfig(account).replace(lab.url, `https://kubernetes:${port}`);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const collector = await kubeconfig('collector', DEMO_COLLECTOR);
  const reader = await kubeconfig('reader', DEMO_READER);
  const scope = opening.move();
  return {
    ...{ lab, folder, address, door, kubeconfig: { collector, reader } },
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}

/** Where the default bridge has this machine: what host-gateway means to a container. */
async function bridgeAddress(): Promise<string> {
  const format = '{{with index .IPAM.Config 0}}{{.Gateway}}|{{.Subnet}}{{end}}';
  const said = await output('docker', ['network', 'inspect', 'bridge', '--format', format]);
  const [gateway = '', subnet = gateway] = said.split('|');
  return gateway === '' ? subnet.replace(/\.0\/\d+$/, '.1') : gateway;
}

/** What listens on 127.0.0.1 only: lets containers in by the bridge's address. */
async function forward(
  { host, to }: { readonly host: string; readonly to: number },
  scope: AsyncDisposableStack,
): Promise<number> {
  const server = createServer((socket) => {
    const onward = connect(to, '127.0.0.1');
    for (const end of [socket, onward]) {
      end.on('error', () => undefined);
      end.once('close', () => [socket, onward].forEach((one) => void one.destroy()));
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  scope.defer(async () => {
    server.close();
    server.unref();
  });
  return (server.address() as AddressInfo).port;
}
