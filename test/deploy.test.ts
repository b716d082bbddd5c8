// SPDX-License-Identifier: Apache-2.0
// What can be said of the deployment without running it. `npm run test:compose` runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUS_IDENTITIES } from '@impound/contracts/bus-rights.ts';
import { PARTIES } from '@impound/contracts/parties.ts';
import { config as gatewayConfig } from '@impound/gateway/config.ts';
import { parse } from 'yaml';
import { imports, manifests, projectFiles, read, roomOf } from '../tools/rooms.ts';

interface Service {
  readonly image?: string;
  readonly build?: { readonly args: { readonly ROOM: string } };
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly privileged?: boolean;
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, unknown>> } };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose: Compose = parse(read('docker-compose.yml'), { merge: true });
const all = Object.entries(compose.services);
const parties = Object.keys(PARTIES);

test('every service of the house is in docker-compose.yml, built from its own folder', () => {
  for (const name of parties) {
    assert.equal(compose.services[name]?.build?.args.ROOM, `services/${name}`, name);
  }
});

test('every container is locked: it writes nowhere, has no right, gets no new one', () => {
  for (const [name, one] of all) {
    assert.equal(one.read_only, true, `${name}: read_only`);
    assert.deepEqual(one.cap_drop, ['ALL'], `${name}: cap_drop`);
    assert.deepEqual(one.security_opt, ['no-new-privileges:true'], `${name}: security_opt`);
    assert.equal(one.privileged, undefined, `${name}: privileged`);
    for (const volume of one.volumes ?? []) assert.doesNotMatch(volume, /docker\.sock/, name);
  }
});

test('only the two that give files away get rights back, and only those two begin as root', () => {
  const adds = all.filter(([, { cap_add }]) => cap_add !== undefined).map(([name]) => name);
  assert.deepEqual(adds.toSorted(), ['postgres', 'volumes']);
  for (const [name, { user }] of all) {
    if (adds.includes(name)) continue;
    assert.match(user ?? '', /^\$\{IMPOUND_UID/, name);
  }
});

test('nothing is published but the gateway, on loopback', () => {
  const published = all.filter(([, { ports }]) => ports !== undefined);
  assert.deepEqual(
    published.map(([name]) => name),
    ['gateway'],
  );
  for (const port of compose.services['gateway']?.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
});

test('Postgres is reached by the ledger, its migration and doctor alone', () => {
  const near = all.filter(([, { networks }]) => networks?.includes('database'));
  const names = near.map(([name]) => name).toSorted();
  assert.deepEqual(names, ['doctor', 'ledger', 'migrate', 'postgres']);
});

test('bus, database and store lead nowhere', () => {
  for (const name of ['bus', 'database', 'store', 'telemetry', 'witnesses']) {
    assert.equal(compose.networks[name]?.internal, true, name);
  }
  const free = Object.entries(compose.networks).filter(([, one]) => one.internal !== true);
  const names = free.map(([name]) => name).toSorted();
  assert.deepEqual(names, ['clusters', 'door', 'observers', 'outside']);
  // Only an operator who names somebody outside puts the ledger into one of them.
  const chosen = compose.services['ledger']?.networks?.at(-1);
  assert.match(chosen ?? '', /^\$\{WITNESSES_NETWORK:-witnesses\}$/);
  for (const name of ['ledger', 'coordinator', 'uploader', 'postgres', 'nats']) {
    const outside = compose.services[name]?.networks?.filter(
      (one) => one in Object.fromEntries(free),
    );
    assert.deepEqual(outside, [], name);
  }
});

test('who remembers the log outside is offered to the ledger, and doctor is told of it', () => {
  const { ledger, doctor } = compose.services;
  const named = [
    'POLICY',
    'MIRROR_URL',
    'MIRROR_KEY',
    'TSA_URL',
    'TSA_CERTIFICATES',
    'TSA_MINUTES',
  ];
  const keys = Object.keys(ledger?.environment ?? {}).map((key) => key.replace(/_FILE$/, ''));
  assert.deepEqual(
    named.filter((key) => !keys.includes(key)),
    [],
  );
  for (const key of ['POLICY_FILE', 'MIRROR_URL', 'TSA_URL']) {
    assert.equal(doctor?.environment?.[key], ledger?.environment?.[key], key);
  }
});

test('every setting of the gateway comes into its container, and doctor looks at its TLS', () => {
  const { gateway, doctor } = compose.services;
  for (const key of Object.keys(gatewayConfig.shape)) {
    const value = gateway?.environment?.[key];
    assert.ok(value !== undefined, key);
    if (!/^GATEWAY_TLS_(CERT|KEY|CLIENT_CA)_FILE$/.test(key)) continue;
    assert.equal(value, `\${${key}:-}`);
    assert.equal(doctor?.environment?.[key], value, key);
  }
});

test('a witness that runs elsewhere is locked like all others, and has all it must be told', () => {
  const { services }: Compose = parse(read('deploy/witness.yml'));
  const { witness } = services;
  assert.deepEqual(Object.keys(services), ['witness']);
  assert.deepEqual([witness?.read_only, witness?.cap_drop], [true, ['ALL']]);
  assert.deepEqual(witness?.security_opt, ['no-new-privileges:true']);
  assert.equal(witness?.build?.args.ROOM, 'witness');
  for (const port of witness?.ports ?? []) assert.match(port, /^127\.0\.0\.1:/);
  const told = Object.keys(witness?.environment ?? {}).map((key) => key.replace(/_FILE$/, ''));
  const needed = ['WITNESS_NAME', 'WITNESS_KEY', 'LOGS', 'HOST'];
  assert.deepEqual(
    needed.filter((key) => !told.includes(key)),
    [],
  );
});

test('no image floats: each has a version, and none is `latest`', () => {
  for (const [name, { image = '' }] of all) {
    assert.match(image, /:(\$\{IMPOUND_VERSION:-)?\d[\w.-]*\}*$/, `${name}: ${image}`);
  }
  assert.doesNotMatch(read('docker-compose.yml') + read('deploy/Dockerfile'), /:latest\b/);
  assert.match(read('deploy/Dockerfile'), /^ARG NODE_IMAGE=node:24-bookworm-slim$/m);
});

test('every container that lasts has limits', () => {
  for (const [name, { deploy, restart }] of all) {
    if (restart === 'no') continue;
    const limits = deploy?.resources.limits;
    for (const what of ['cpus', 'memory', 'pids']) assert.ok(limits?.[what], `${name}: ${what}`);
  }
});

test('secrets are files: none lies in an environment', () => {
  const told = all.flatMap(([name, { environment = {} }]) =>
    Object.entries(environment).map(([key, value]) => ({ name, key, value: String(value) })),
  );
  assert.ok(told.length > 10);
  for (const { name, key, value } of told.filter((one) => !one.key.endsWith('_FILE'))) {
    assert.doesNotMatch(key, /PASSWORD|SECRET|TOKEN|KEY|DATABASE_URL/, `${name}: ${key}`);
    assert.doesNotMatch(value, /\/\/[^/]*:[^/]*@/, `${name}: ${key}`);
  }
});

test('each secret is given to who needs it, and to nobody else', () => {
  const given = new Map<string, string[]>();
  for (const [name, { secrets = [] }] of all) {
    for (const secret of secrets) given.set(secret, [...(given.get(secret) ?? []), name]);
  }
  assert.deepEqual([...given.keys()].toSorted(), Object.keys(compose.secrets).toSorted());
  for (const name of parties) {
    assert.deepEqual(given.get(`${name.replaceAll('-', '_')}_bus_key`), [name]);
  }
  assert.deepEqual(given.get('ledger_database_url'), ['ledger']);
  assert.deepEqual(given.get('log_keys'), ['ledger']);
  assert.deepEqual(given.get('admin_database_url'), ['migrate']);
  assert.deepEqual(given.get('signing_key'), ['uploader']);
});

test('each identity on the bus but the system account has a place in the file', () => {
  const files = Object.values(compose.secrets).map(({ file }) => file);
  for (const identity of BUS_IDENTITIES) {
    assert.ok(
      files.some((file) => file.endsWith(`/bus/${identity}.nk`)),
      identity,
    );
  }
});

test('the image is made for somebody without rights, a shell or a way to wait for nobody', () => {
  const dockerfile = read('deploy/Dockerfile');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  assert.match(last, /^USER \d+:\d+$/m);
  assert.match(last, /^STOPSIGNAL SIGTERM$/m);
  assert.match(last, /^ENTRYPOINT \["node"\]$/m);
  assert.match(last, /^CMD \[/m);
  assert.match(last, /^HEALTHCHECK [\s\S]*?CMD \["node"/m);
  assert.doesNotMatch(last, /^(RUN|ADD|ARG NPM_)|CMD .*(curl|wget|\/sh)/m);
});

test('what is not named for it comes into no image', () => {
  const lines = read('.dockerignore')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  assert.equal(lines[0], '*');
  const taken = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  for (const path of ['.git', 'test', 'node_modules', '.env', 'secrets']) {
    assert.ok(!taken.some((one) => one === path || one.startsWith(`${path}/`)), path);
  }
});

test('whatever room an image is made of comes to its builder', () => {
  const taken = new Set(read('.dockerignore').match(/(?<=^!)[^/\n]+$/gm));
  const rooms = manifests();
  const places = new Map([...rooms].map(([room, { name }]) => [name, room]));
  const built = all.flatMap(([, { build }]) => build?.args.ROOM ?? []);
  // A set that grows while it is walked: what a room stands on, and what that stands on.
  const needed = new Set([...built, 'witness', 'packages/telemetry']);
  for (const room of needed) {
    const names = Object.keys(rooms.get(room)?.dependencies ?? {});
    for (const place of names.flatMap((name) => places.get(name) ?? [])) needed.add(place);
  }
  assert.ok(needed.size > built.length, [...needed].join());
  const left = [...needed].filter((room) => !taken.has(room.split('/')[0] ?? ''));
  assert.deepEqual(left, []);
});

test('what a program imports is a dependency of its room: an image holds no other', () => {
  const rooms = manifests();
  const run = imports().filter(
    ({ from }) => /\/src\//.test(from) && !/\.(test|conformance)\.ts$|\/testing\//.test(from),
  );
  const missing = run.flatMap(({ from, specifier }) => {
    if (/^(\.|node:)/.test(specifier)) return [];
    const [name = ''] = /^(@[^/]+\/)?[^/]+/.exec(specifier) ?? [];
    const { name: own, dependencies = {} } = rooms.get(roomOf(from)) ?? {};
    return name in dependencies || name === own ? [] : [`${from}: ${name}`];
  });
  assert.ok(run.length > 500, `${run.length} imports`);
  assert.deepEqual(missing, []);
});

test('the collector knows every part that its pipelines name', () => {
  const config = parse(read('deploy/otel/collector.yaml'));
  for (const [name, pipeline] of Object.entries<Record<string, string[]>>(
    config.service.pipelines,
  )) {
    for (const kind of ['receivers', 'processors', 'exporters']) {
      const parts = pipeline[kind] ?? [];
      assert.ok(parts.length > 0, `${name} has no ${kind}`);
      for (const part of parts) assert.ok(part in config[kind], `${name}: ${part}`);
    }
    assert.equal(pipeline['processors']?.[0], 'memory_limiter', name);
  }
});

test('no secret of a deployment is committed', () => {
  const secret = /(^|\/)(compose\.env|token|[^/]+\.nk)$|^secrets\//;
  assert.deepEqual(
    projectFiles().filter((file) => secret.test(file)),
    [],
  );
});

test('every place that names the version names the same one', () => {
  const rooms = projectFiles().filter((file) => /(^|\/)package\.json$/.test(file));
  const places: readonly (readonly [string, RegExp])[] = [
    ['packages/runtime/src/version.ts', /VERSION = '(.+)'/g],
    ['docker-compose.yml', /IMPOUND_VERSION:-([^}]+)\}/g],
    ['deploy/witness.yml', /IMPOUND_VERSION:-([^}]+)\}/g],
    ['deploy/Dockerfile', /^ARG VERSION=(.+)$/gm],
    ...rooms.map((file) => [file, /"(?:version|@impound\/.+)": "(.+)"/g] as const),
  ];
  const named = places.map(([file, pattern]) => {
    return [file, [...read(file).matchAll(pattern)].map(([, version]) => version)] as const;
  });
  const [[, [version = ''] = []] = []] = named;
  for (const [file, versions] of named) {
    assert.ok(versions.length > 0, file);
    assert.deepEqual([...new Set(versions)], [version], file);
  }
});
