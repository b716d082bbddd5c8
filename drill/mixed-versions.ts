// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { audit } from './fleet/audit.ts';
import { podNames } from './fleet/cluster.ts';
import { SERVICES, type ServiceName } from './fleet/crew.ts';
import { auditLines, type Drill, type Stage } from './fleet/drill.ts';
import { type Fleet, startFleet } from './fleet/fleet.ts';
import { midway } from './fleet/midway.ts';
import { entryOf } from './fleet/tap.ts';
import { ADDED_FIELD, nextTree, SECOND_VERSION } from './versions/next.ts';
import { mainOf, oldTree, ROOT, type Tree } from './versions/tree.ts';

const PODS = podNames(6, 0);
/** A version without it knows no signatures: the list is given when all are of a later one. */
const SIGNERS = 'contracts/src/signer.ts';
const NOW: Tree = { name: 'this version', directory: ROOT };

/** Each process is replaced in the middle of an acquisition, as a rolling update does it. */
export const mixedVersions: Drill = {
  sentence:
    'Runs processes of an earlier version (--old REF), of this and of a next one side by side, ' +
    'and replaces each by the other while acquisitions are under way.',
  run: async (stage) => {
    await using scope = new AsyncDisposableStack();
    const [ref] = stage.args;
    const old = await oldTree(ref, scope);
    if (typeof old === 'string' && ref !== undefined) {
      stage.tell(`NOT RUN: ${old}`);
      return [old];
    }
    const next = await nextTree(scope);
    if (typeof old !== 'string') return await among([old, NOW, next], stage);
    stage.tell(`NOT RUN: no earlier version beside this one, for ${old}; the next one only`);
    return await among([NOW, next], stage);
  },
};

/** Which service is a process of which version. */
type Cast = Readonly<Record<ServiceName, Tree>>;

async function among(trees: readonly Tree[], stage: Stage): Promise<readonly string[]> {
  const [first = NOW] = trees;
  let cast = castOf(first);
  const programs = SERVICES.map((name) => [name, pathToFileURL(mainOf(first, name))]);
  const sign = trees.every(({ directory }) => existsSync(join(directory, SIGNERS)));
  const settings = sign ? {} : { ledger: { SIGNERS_FILE: '' } };
  const options = { pods: PODS, cast: Object.fromEntries(programs), settings };
  await using fleet = await startFleet(options, stage.signal);
  stage.tell(`all of ${first.name}`);
  const findings: string[] = [];
  for (const scene of scenesOf(trees, stage.full)) {
    findings.push(...(await change(fleet, { from: cast, to: scene }, stage)));
    cast = scene;
  }
  const whole = await fleet.order(PODS.shells[0] ?? '');
  await fleet.tap.ended(whole, stage.signal);
  findings.push(...(await spoken(fleet, stage)));
  const audited = await audit(fleet, stage.signal);
  for (const line of auditLines(audited)) stage.tell(line);
  return [...findings, ...audited.findings];
}

/** From the first version to the last one; as a whole each alone as well, and back again. */
function scenesOf(trees: readonly Tree[], full: boolean): Cast[] {
  const pairs = trees.slice(1).map((tree, at) => [trees[at] ?? NOW, tree] as const);
  const up = pairs.flatMap(([from, to]) => [
    ...(full ? alone(from, to) : []),
    ...rolling(from, to),
  ]);
  const back = pairs.toReversed().flatMap(([from, to]) => rollingBack(from, to));
  return full ? [...up, ...back] : up;
}

/** The ledger first and back last: it records nothing that it does not know. */
function rolling(from: Tree, to: Tree): Cast[] {
  return SERVICES.map((_name, at) => castOf(from, SERVICES.slice(0, at + 1), to));
}

function rollingBack(from: Tree, to: Tree): Cast[] {
  return SERVICES.map((_name, at) => castOf(from, SERVICES.slice(0, at), to)).toReversed();
}

/** Each service in turn of the other version, and then all but each. */
function alone(from: Tree, to: Tree): Cast[] {
  const first: readonly ServiceName[] = to.ledgerFirst ? ['ledger'] : [];
  const others = SERVICES.filter((name) => !first.includes(name));
  const between = first.length > 0 ? [castOf(from, first, to)] : [];
  return [
    ...between,
    ...others.map((name) => castOf(from, [...first, name], to)),
    ...others.map((name) => castOf(to, [name], from)),
    ...between,
    castOf(from),
  ];
}

function castOf(usual: Tree, others: readonly ServiceName[] = [], other = usual): Cast {
  const each = SERVICES.map((name) => [name, others.includes(name) ? other : usual]);
  return Object.fromEntries(each) as Cast;
}

/** The few by their names. */
function nameOf(cast: Cast): string {
  const byTree = Map.groupBy(SERVICES, (name) => cast[name].name);
  const [most, ...few] = [...byTree].toSorted(([, a], [, b]) => b.length - a.length);
  const named = few.map(([tree, names]) => `${names.join(', ')} of ${tree}`);
  return [...named, `${few.length > 0 ? 'the others' : 'all'} of ${most?.[0]}`].join('; ');
}

let turn = 0;

/** One acquisition begins before the change and ends after it. */
async function change(
  fleet: Fleet,
  { from, to }: { readonly from: Cast; readonly to: Cast },
  { signal, tell }: Stage,
): Promise<string[]> {
  turn += 1;
  const { id, goOn } = await midway(fleet, PODS.shells[turn % PODS.shells.length] ?? '', signal);
  for (const service of SERVICES.filter((name) => from[name] !== to[name])) {
    for (const one of fleet.of(service)) await one.replace(mainOf(to[service], service));
  }
  goOn();
  const end = await fleet.tap.ended(id, signal);
  const types = (await fleet.tap.chain(id)).map(({ event }) => event.type);
  tell(`${nameOf(to)}: ${end.event.type}, ${types.length} entries`);
  if (end.event.type === 'acquisition.sealed.v1') return [];
  tell(`NOT AS PROMISED: ${types.join(', ')}: ${JSON.stringify(end.event.data)}`);
  return [`${nameOf(to)}: ${types.join(', ')}`];
}

const TYPES_MIN = 5;

/** Whether the next version has said what this one does not know: else nothing was tried. */
async function spoken({ sql }: Fleet, { tell }: Stage): Promise<string[]> {
  const events = (await sql`select entry from ledger_entry where event_id is not null`).map(
    (row) => entryOf(row).event,
  );
  const more = events.filter(({ data }) => ADDED_FIELD in data);
  const types = new Set(more.map(({ type }) => type));
  const second = events.filter(({ type }) => type === SECOND_VERSION);
  tell(
    `the next version said ${more.length} events of ${types.size} types with a field more, ` +
      `and ${SECOND_VERSION} ${second.length} times`,
  );
  if (types.size >= TYPES_MIN && second.length > 0) return [];
  return ['the next version said nothing that is new to this one'];
}
