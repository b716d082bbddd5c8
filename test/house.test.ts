// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PARTIES } from '@impound/contracts/parties.ts';
import { openApiText } from '@impound/gateway/adapters/openapi.ts';
import { OFFERED } from '@impound/rbac-checker/domain/ladder.ts';
import { natsFiles } from '@impound/runtime/nats-config.ts';
import type { AnyService } from '@impound/runtime/service.ts';
import { events, questions } from '../contracts/generate/contracts.ts';
import { busDocument } from '../tools/bus.ts';
import { databaseDocument } from '../tools/database.ts';
import { flowDocument, parties } from '../tools/flow.ts';
import { iamFiles } from '../tools/iam.ts';
import { imports, type Manifest, manifests, projectFiles, read, roomOf } from '../tools/rooms.ts';
import { ROOT } from '../tools/steps.ts';

const FILE_LINES_MAX = 300;
const LINE_CHARACTERS_MAX = 100;
/** A string, a template, a pattern or an address that no formatter can break. */
const UNBREAKABLE = /'[^']{40,}'|`[^`]{40,}`|"[^"]{40,}"|https:\/\/\S{40,}/;
const README_LINES_MAX = 40;
const HEADINGS = ['Hears', 'Says', 'Touches', 'Needs', 'Fails', 'Proves'];
const STRANGERS = /(^|\/)(utils?|common|helpers?|lib|shared|misc)(\/|\.[a-z.]+$)/;

const files = projectFiles();
const code = files.filter((file) => /\.(ts|mjs)$/.test(file));
const written = files.filter((file) => /\.(ts|mjs|sh|sql)$/.test(file));
const services = [...new Set(files.map((file) => /^services\/([^/]+)\//.exec(file)?.[1]))].filter(
  (name) => name !== undefined,
);

/** What breaks a law, as one list: an empty one is what the house wants to see. */
function none(what: string, offenders: readonly string[]): void {
  assert.deepEqual(offenders, [], `${what}:\n${offenders.join('\n')}\n`);
}

test('the house has rooms to look at', () => {
  assert.ok(services.length >= 7, `only ${services.length} services`);
  assert.ok(code.length > 100, `only ${code.length} source files`);
});

test(`no file has more than ${FILE_LINES_MAX} lines`, () => {
  const lines = (file: string) => read(file).trimEnd().split('\n').length;
  const long = written.filter((file) => lines(file) > FILE_LINES_MAX);
  none(
    'too long',
    long.map((file) => `${file}: ${lines(file)} lines`),
  );
});

test(`a line of code has ${LINE_CHARACTERS_MAX} characters, unless one literal makes it wider`, () => {
  const isWide = (line: string) => [...line].length > LINE_CHARACTERS_MAX;
  const wide = code.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, at) =>
        isWide(line) && !UNBREAKABLE.test(line) ? [`${file}:${at + 1}`] : [],
      ),
  );
  none('too wide', wide);
});

test('every source file names its licence in its first line', () => {
  const named = /^(#![^\n]*\n)?(\/\/|#|--) SPDX-License-Identifier: Apache-2\.0\n/;
  none(
    'no SPDX line',
    written.filter((file) => !named.test(read(file))),
  );
});

test('no folder or file is a house for strangers, and file names are kebab-case', () => {
  none(
    'say what it is about',
    files.filter((file) => STRANGERS.test(file)),
  );
  const kebab = /(^|\/)[a-z0-9]+([.-][a-z0-9]+)*\.(ts|mjs)$/;
  none(
    'not kebab-case',
    code.filter((file) => !kebab.test(file)),
  );
});

test('a file imports from its own room by path and from another room by its name', () => {
  const inside = (room: string) => room !== '';
  const outOfDoors = imports().filter(
    ({ from, specifier, to }) =>
      specifier.startsWith('.') && to && inside(roomOf(from)) && roomOf(to) !== roomOf(from),
  );
  none(
    'relative import into another room',
    outOfDoors.map((one) => `${one.from}: ${one.specifier}`),
  );
});

test('every source file is an entry or is imported by one that is no test', () => {
  const entry = /(^|\/)(main\.ts|service\.ts)$|\.test\.ts$|\.v\d+\.ts$|(^|\/)test\//;
  const started = /^(tools|bench|deploy|cli\/bin)\//;
  /** Whoever verifies builds on it, outside of the house as well. */
  const library = /^packages\/transparency\/src\//;
  const forTests = /\.conformance\.ts$|\/testing\//;
  const used = new Set(
    imports()
      .filter(({ from }) => !from.endsWith('.test.ts'))
      .map(({ to }) => to),
  );
  const byTests = new Set(imports().map(({ to }) => to));
  const idle = code.filter(
    (file) =>
      !entry.test(file) &&
      !started.test(file) &&
      !library.test(file) &&
      !used.has(file) &&
      !(forTests.test(file) && byTests.has(file)),
  );
  none('imported by nobody', idle);
});

test('each dependency has one version in the whole house', () => {
  const versions = new Map<string, Set<string>>();
  for (const { dependencies, devDependencies } of manifests().values()) {
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    }
  }
  const many = [...versions].filter(([, found]) => found.size > 1);
  none(
    'several versions',
    many.map(([name, found]) => `${name}: ${[...found].join(', ')}`),
  );
});

test('package-lock.json knows what every package.json asks for', () => {
  const lock: { packages: Record<string, Manifest> } = JSON.parse(read('package-lock.json'));
  for (const [room, { dependencies, devDependencies }] of manifests()) {
    const locked = lock.packages[room];
    const mend = `package-lock.json: ${room}: npm install --package-lock-only`;
    assert.deepEqual(locked?.dependencies ?? {}, dependencies ?? {}, mend);
    assert.deepEqual(locked?.devDependencies ?? {}, devDependencies ?? {}, mend);
  }
});

test('no committed file knows this machine or a package registry', () => {
  const tells = /\/work\/(?:main|shared)|\/root\/\.(?:npm|cache|config)|registry[.]npmjs|npmmirror/;
  const texts = files.filter((file) => !/\.(zst|gz|png|tar|bin)$/.test(file));
  const telling = texts.filter((file) => file !== 'test/house.test.ts' && tells.test(read(file)));
  none('names a place outside', telling);
});

for (const service of services) {
  const own = files.filter((file) => file.startsWith(`services/${service}/`));
  const names = own.map((file) => file.slice(`services/${service}/`.length));

  test(`${service}: its folder has the files every service has, and no others`, () => {
    const required = [
      'package.json',
      'README.md',
      'src/main.ts',
      'src/service.ts',
      'src/config.ts',
    ];
    const missing = [...required, 'test/service.test.ts'].filter((file) => !names.includes(file));
    none('missing', missing);
    const known = [
      /^src\/(handlers|domain|adapters)\/[a-z0-9.-]+\.ts$|^src\/db\/|^test\/[a-z0-9.-]+\.ts$/,
      /^src\/policy\/[a-z0-9-]+\.(cedar|cedarschema)$|^src\/ingest\/[a-z0-9-]+\.json$/,
    ];
    none(
      'unknown',
      names.filter((file) => !required.includes(file) && !known.some((one) => one.test(file))),
    );
  });

  test(`${service}: its README has the six headings and ${README_LINES_MAX} lines at most`, () => {
    const readme = read(`services/${service}/README.md`).trimEnd().split('\n');
    const headings = readme.flatMap((line) => /^## (.+)$/.exec(line)?.[1] ?? []);
    assert.deepEqual(headings, HEADINGS);
    assert.ok(readme.length <= README_LINES_MAX, `${readme.length} lines`);
  });

  test(`${service}: it says, hears and answers what the table of parties tells`, async () => {
    const declared = await declaration(service);
    const sorted = (names: readonly string[] = []) => names.toSorted();
    assert.equal(declared.name, service);
    const said = declared.says.map((contract: { type: string }) => contract.type);
    assert.deepEqual(sorted(said), sorted(PARTIES[service]?.says), 'says');
    const heard = declared.hears.map(({ contract }) => contract.type);
    assert.deepEqual(sorted(heard), sorted(PARTIES[service]?.hears), 'hears');
    const answered = declared.answers.map(({ question }) => question.name);
    assert.deepEqual(sorted(answered), sorted(PARTIES[service]?.answers), 'answers');
    const routes = declared.hears.flatMap((one) => ('route' in one ? [one.route] : []));
    assert.deepEqual(routes, [PARTIES[service]?.route].filter(Boolean), 'route');
  });
}

async function declaration(service: string): Promise<AnyService> {
  const url = pathToFileURL(join(ROOT, 'services', service, 'src', 'service.ts')).href;
  const module: Record<string, unknown> = await import(url);
  const isService = (value: unknown): value is AnyService =>
    typeof value === 'object' && value !== null && 'hears' in value && 'says' in value;
  const found = Object.values(module).filter(isService);
  assert.equal(found.length, 1, 'service.ts exports one declaration');
  return found[0] as AnyService;
}

test('every party is a service and every service is a party', () => {
  assert.deepEqual(Object.keys(PARTIES).toSorted(), services.toSorted());
});

test('`impound up` starts every service', () => {
  const started = imports()
    .filter(({ from }) => from.startsWith('cli/src/'))
    .map(({ to }) => to);
  const left = services.filter((name) => !started.includes(`services/${name}/src/service.ts`));
  none('not started by cli/src/platform.ts', left);
});

test('the rbac-checker offers exactly the routes that executors hear on', () => {
  const routes = Object.values(PARTIES).flatMap(({ route }) => route ?? []);
  assert.deepEqual(Object.keys(OFFERED).toSorted(), routes.toSorted(), 'OFFERED in ladder.ts');
});

test('every event is said by somebody, and heard by somebody or marked terminal', async () => {
  const all = (await events()).map(({ contract }) => contract);
  assert.ok(all.length > 10, `only ${all.length} events`);
  none(
    'said by nobody',
    all.map(({ type }) => type).filter((type) => !parties('says', type)[0]),
  );
  const unheard = all.filter(({ type, terminal }) => !terminal && !parties('hears', type)[0]);
  none(
    'heard by nobody',
    unheard.map(({ type }) => type),
  );
});

test('every question is answered by the service in its name', async () => {
  for (const { contract } of await questions()) {
    assert.deepEqual(parties('answers', contract.name), [contract.name.split('.')[0]]);
  }
});

test('the table of parties names nothing but contracts', async () => {
  const known = new Set((await events()).map(({ contract }) => contract.type));
  for (const { contract } of await questions()) known.add(contract.name);
  const named = Object.values(PARTIES).flatMap((party) => [
    ...[...party.says, ...party.hears],
    ...[...party.asks, ...party.answers],
  ]);
  none(
    'no such contract',
    named.filter((name) => !known.has(name)),
  );
});

test('docs/flow.md is what `npm run generate` makes of the contracts', async () => {
  assert.equal(read('docs/flow.md'), await flowDocument(), 'npm run generate');
});

test('deploy/postgres/ledger.sql is what the migration runs', async () => {
  assert.equal(read('deploy/postgres/ledger.sql'), await databaseDocument(), 'npm run generate');
});

test('deploy/iam is what `npm run generate` makes of the rights at each store', () => {
  for (const [name, text] of iamFiles()) {
    assert.equal(read(`deploy/iam/${name}`), text, 'npm run generate');
  }
});

test('deploy/nats is what `npm run generate` makes of the table of parties', () => {
  for (const [name, text] of natsFiles()) {
    assert.equal(read(`deploy/nats/${name}`), text, 'npm run generate');
  }
  const bus = read('docs/bus.md');
  assert.equal(bus, busDocument(bus), 'npm run generate');
});

test('docs/openapi.json is what `npm run generate` makes of the shapes of the gateway', () => {
  assert.equal(read('docs/openapi.json'), openApiText(), 'npm run generate');
});

test('every decision page has a date and a status and stands in the index', () => {
  const pages = files.filter((file) => /^docs\/decisions\/(?!README).+\.md$/.test(file));
  assert.ok(pages.length > 0, 'docs/decisions has no page');
  const index = read('docs/decisions/README.md');
  for (const page of pages) {
    const name = page.slice('docs/decisions/'.length);
    assert.match(name, /^\d{4}-[a-z0-9-]+\.md$/);
    assert.match(read(page), /^\W*Date\W+\d{4}-\d{2}-\d{2}\s*$/m, `${page}: no date`);
    assert.match(read(page), /^\W*Status\W+(proposed|accepted|superseded)/im, `${page}: no status`);
    assert.ok(index.includes(`(${name})`), `${page} is not in docs/decisions/README.md`);
  }
});
