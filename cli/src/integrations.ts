// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import {
  CHANGES_MAX,
  type Change,
  type Integration,
  Integrations,
} from '@impound/contracts/integration.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { EXIT, Exit } from './exit-code.ts';
import { writeSecret } from './keys.ts';

/** The file of a data directory in which the gateway finds who may come in. */
export function integrationsFile(dataDir: string): string {
  return join(dataDir, 'integrations.json');
}

const OTHERS = 0o077;
const EMPTY = { version: 1, integrations: [], changes: [] } as const;

/** Reads the file; none is an empty one. Throws Exit, which never repeats what the file says. */
export async function readIntegrations(file: string): Promise<Integrations> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Exit(EXIT.failed, `${file} cannot be read: ${error.code}`, { cause: error });
  });
  if (text === undefined) return Integrations.parse(EMPTY);
  if (((await stat(file)).mode & OTHERS) !== 0) {
    throw new Exit(EXIT.failed, `${file} holds secrets and others can read it: chmod 600 ${file}`);
  }
  const read = Integrations.safeParse(jsonOf(text));
  if (read.success) return read.data;
  const [first] = read.error.issues;
  const where = first?.path.join('.') || 'the whole of it';
  throw new Exit(EXIT.failed, `${file} is damaged at ${where}: ${first?.message}`);
}

/** The parser's own message would repeat a piece of the text. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a change does: gives the integration as it is to be. Throws Exit. */
export interface Changing {
  readonly id: string;
  readonly what: Change['what'];
  readonly credential?: string | undefined;
  readonly apply: (known: Integration | undefined) => Integration;
}

/** Changes one integration and writes down who did it, whole or not at all. Throws Exit. */
export async function changeIntegration(file: string, changing: Changing): Promise<Integration> {
  await using _ = await alone(file);
  const before = await readIntegrations(file);
  const at = before.integrations.findIndex(({ id }) => id === changing.id);
  const changed = changing.apply(before.integrations[at]);
  const integrations =
    at === -1 ? [...before.integrations, changed] : before.integrations.with(at, changed);
  const { id, what, credential } = changing;
  const by = userInfo().username || 'unknown';
  const change = { at: timeOf(Date.now()), by, what, id, ...(credential ? { credential } : {}) };
  const changes = [...before.changes, change].slice(-CHANGES_MAX);
  const after = Integrations.safeParse({ version: 1, integrations, changes });
  if (!after.success) {
    const [first] = after.error.issues;
    const where = first?.path.slice(2).join('.') || id;
    throw new Exit(EXIT.usage, `${where}: ${first?.message}; nothing was changed`);
  }
  await writeSecret(file, `${JSON.stringify(after.data, null, 2)}\n`);
  return changed;
}

/** Two commands at once would lose what one of them has changed. */
async function alone(file: string): Promise<AsyncDisposable> {
  const lock = `${file}.lock`;
  const handle = await open(lock, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const advice =
      cause.code === 'EEXIST' ? 'another command changes it; where none runs, remove' : '';
    throw new Exit(EXIT.failed, `${lock}: ${advice || cause.code}`, { cause });
  });
  await handle.close();
  return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
}

/** SHA-256 of a token: all that is kept of it. */
export function tokenSha256(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

const LOCAL = 'local';

/** Lets whoever holds the token of this data directory in, as the person that it belongs to. */
export async function admitLocal(file: string, token: string): Promise<void> {
  const sha256 = tokenSha256(token);
  const { integrations } = await readIntegrations(file);
  const known = integrations.find(({ id }) => id === LOCAL);
  if (known?.credentials.some((one) => one.kind === 'token' && one.sha256 === sha256)) return;
  await changeIntegration(file, {
    id: LOCAL,
    what: known === undefined ? 'added' : 'rotated',
    credential: 'keys-json',
    apply: (before) => ({ ...(before ?? local()), credentials: [localCredential(sha256)] }),
  });
}

function localCredential(sha256: string): Integration['credentials'][number] {
  return { kind: 'token', id: 'keys-json', sha256, inUrl: false };
}

function local(): Integration {
  const { integrations } = Integrations.parse({
    version: 1,
    integrations: [
      {
        id: LOCAL,
        kind: 'person',
        tenant: 'default',
        about: 'whoever can read the data directory',
        credentials: [],
        clusters: ['*'],
        namespaces: ['*'],
        limits: { openMax: 10_000, requestsPerSecond: 1_000, ordersPerHour: 1_000_000 },
        approval: 'never',
        mayApprove: true,
        mayReadEvidence: true,
        mayAudit: true,
      },
    ],
  });
  const [one] = integrations;
  if (one === undefined) throw new TypeError('one was given');
  return one;
}
