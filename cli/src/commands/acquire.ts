// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { parseTarget, type Target } from '@impound/contracts/target.ts';
import { findAccess, type Surroundings } from '../access.ts';
import { type Access, type Client, openClient } from '../client.ts';
import type { Here } from '../command.ts';
import { EXIT, Exit } from '../exit-code.ts';
import { exportBag } from './export.ts';
import { follow } from './follow.ts';
import { addKubeconfig, startHere } from './up.ts';

/**
 * Requests one acquisition (or one per pod of a selector), follows it, and exports it with --out.
 */
export async function acquire(here: Here, signal: AbortSignal): Promise<number> {
  const target = targetOf(here);
  await using platform = await reach(here, signal);
  await addKubeconfig(here, target.cluster);
  const client = openClient(platform.access, signal);
  const targets = await expanded(client, target, here);
  let worst: number = EXIT.ok;
  for (const [index, uri] of targets.entries()) {
    const code = await one({ here, client, uri, several: targets.length > 1, index }, signal);
    if (code !== EXIT.ok) worst = code;
  }
  return worst;
}

function targetOf({ args }: Surroundings): Target {
  const [text, ...more] = args.positionals;
  if (text === undefined || more.length > 0) {
    throw new Exit(EXIT.usage, 'acquire takes one target: kubernetes://CLUSTER/NAMESPACE/POD');
  }
  try {
    return parseTarget(text);
  } catch (cause) {
    const message = `${text} is no target: kubernetes://CLUSTER/NAMESPACE/POD[/CONTAINER]`;
    throw new Exit(EXIT.usage, message, { cause });
  }
}

interface Reached extends AsyncDisposable {
  readonly access: Access;
}

/** The platform that runs, else one that lives as long as this command. */
async function reach(here: Here, signal: AbortSignal): Promise<Reached> {
  const access = await findAccess(here);
  if (access !== undefined) return { access, [Symbol.asyncDispose]: async () => undefined };
  const platform = await startHere(here, signal);
  return { access: platform, [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose]() };
}

/** A selector stands for every container that fits it: one acquisition each. */
async function expanded(client: Client, target: Target, here: Here): Promise<readonly string[]> {
  if (target.selector === undefined) return [here.args.positionals[0] ?? ''];
  const { cluster, namespace, selector, container } = target;
  const path = [cluster, namespace].map(encodeURIComponent).join('/namespaces/');
  const query = new URLSearchParams({ selector });
  const found = await client.get<{ items: { target?: string; name: string }[] }>(
    `/v1/clusters/${path}/containers?${query}`,
  );
  const fitting = found.items.filter(
    (item) => container === undefined || item.name.endsWith(`/${container}`),
  );
  if (fitting.length === 0) throw new Exit(EXIT.failed, `no container fits ${selector}`);
  return fitting.map((item) => item.target ?? '').filter((uri) => uri !== '');
}

interface One {
  readonly here: Here;
  readonly client: Client;
  readonly uri: string;
  readonly several: boolean;
  readonly index: number;
}

async function one(it: One, signal: AbortSignal): Promise<number> {
  const { here, client, uri } = it;
  const shown = await client.post('/v1/acquisitions', orderOf(here, uri), {
    'idempotency-key': randomUUID(),
  });
  const { acquisitionId } = shown;
  here.printer.line(`acquisition ${acquisitionId} of ${uri}`);
  const code = await follow(client, acquisitionId, here.printer);
  const out = here.args.text('out');
  if (out === undefined || (code !== EXIT.ok && code !== EXIT.partial)) {
    here.printer.line(next(acquisitionId, code));
    return code;
  }
  const directory = it.several ? `${out}-${it.index + 1}` : out;
  const purpose = `exported by impound acquire: ${here.args.needed('reason')}`;
  await exportBag({ client, acquisitionId, directory, purpose, printer: here.printer }, signal);
  return code;
}

function next(acquisitionId: string, code: number): string {
  return code === EXIT.ok || code === EXIT.partial
    ? `next: impound export ${acquisitionId} --out DIR, then impound verify DIR`
    : `next: impound show ${acquisitionId} tells what happened and what to do`;
}

function orderOf({ args }: Here, target: string): object {
  const methods = args.list('method');
  const deadline = args.text('deadline');
  return {
    target,
    caseId: args.needed('case'),
    reason: args.needed('reason'),
    ...(args.text('profile') === undefined ? {} : { profile: args.text('profile') }),
    ...(methods.length === 0 ? {} : { methods }),
    ...(deadline === undefined ? {} : { deadlineSeconds: Number(deadline) }),
    paths: args.list('path'),
  };
}
