// SPDX-License-Identifier: Apache-2.0
// A program that starts a cluster, says what it made, and waits to be killed.
import { startCluster } from '../src/cluster.ts';

const user = { user: 65532, group: 65532 };
await using lab = await startCluster({
  namespaces: [
    {
      name: 'shop',
      pods: [
        { name: 'root', containers: [{ name: 'app', image: 'x', flavor: 'debian' }] },
        { name: 'user', containers: [{ name: 'app', image: 'x', flavor: 'debian', ...user }] },
      ],
    },
  ],
});
const pids = ['root', 'user'].map((pod) => lab.pidOf('shop', pod, 'app'));
console.log(JSON.stringify({ pids, files: lab.filesOf('shop', 'root', 'app') }));
await new Promise((resolve) => setTimeout(resolve, 30_000));
