// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './steps.ts';

const NOT_OURS = /(^|\/)(node_modules|\.git|\.tools|\.impound|coverage)(\/|$)/;
const IMPORT = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\bnew URL\(\s*)'([^']+)'/g;

/** What a package.json of ours may say. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** One import as it is written, and the file of ours it means (undefined: a package from npm). */
export interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly to: string | undefined;
}

/** Every file of the project by its path from the root, without what is fetched or generated. */
export function projectFiles(): string[] {
  return globSync('**', { cwd: ROOT, exclude: (name) => NOT_OURS.test(name) })
    .concat(globSync('.{ci,gitignore,npmrc}{,/**}', { cwd: ROOT }))
    .filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile() === true)
    .toSorted();
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The folder with a package.json that a file belongs to; '' for the root's own. */
export function roomOf(file: string): string {
  return /^(contracts|cli|lab|witness|(?:packages|services)\/[^/]+)\//.exec(file)?.[1] ?? '';
}

/** The package.json files of the project, by room. */
export function manifests(): Map<string, Manifest> {
  const found = projectFiles().filter((file) => /(^|\/)package\.json$/.test(file));
  return new Map(found.map((file) => [roomOf(file), JSON.parse(read(file))]));
}

/** Every import in every TypeScript file. */
export function imports(): Import[] {
  const rooms = new Map([...manifests()].map(([room, { name }]) => [name, room]));
  const sources = projectFiles().filter((file) => /\.(ts|mjs)$/.test(file));
  return sources.flatMap((from) =>
    [...read(from).matchAll(IMPORT)].map(([, specifier = '']) => {
      return { from, specifier, to: target(from, specifier, rooms) };
    }),
  );
}

function target(from: string, specifier: string, rooms: ReadonlyMap<string, string>) {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(specifier) ?? [];
  const room = rooms.get(name);
  if (room === undefined || room === '') return undefined;
  const file = join(room, 'src', rest);
  return existsSync(join(ROOT, file)) ? file : undefined;
}
