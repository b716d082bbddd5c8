// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabOptions } from '@impound/lab/options.ts';
import { NAMESPACE } from '../../drill/fleet/cluster.ts';
import type { Fleet } from '../../drill/fleet/fleet.ts';
import { signatureOf } from '../../services/gateway/src/adapters/webhook-signature.ts';

const random = (bytes = 24) => randomBytes(bytes).toString('base64url');

/** Secrets that are planted where one can be, by what they are. */
export interface Planted {
  readonly token: string;
  readonly otherToken: string;
  readonly wrongToken: string;
  readonly webhook: string;
  readonly wrongWebhook: string;
  readonly signingKey: string;
  readonly fileName: string;
  readonly fileText: string;
  readonly variable: string;
  readonly bodyField: string;
  readonly brokenBody: string;
  readonly header: string;
  readonly query: string;
  readonly brokenKubeconfig: string;
  readonly wrongKubeconfig: string;
  readonly clientKey: string;
}

/** New secrets for one run. */
export function newSecrets(): Planted {
  const webhook = () => `whsec_${randomBytes(32).toString('base64')}`;
  const names = [
    'token,otherToken,wrongToken,signingKey,fileName,fileText,variable',
    'bodyField,brokenBody,header,query,brokenKubeconfig,wrongKubeconfig,clientKey',
  ];
  const all = names.flatMap((line) => line.split(',')).map((name) => [name, random()] as const);
  return {
    ...Object.fromEntries(all),
    ...{ signingKey: random(48), webhook: webhook(), wrongWebhook: webhook() },
  } as unknown as Planted;
}

/** Where the evidence that holds secrets lies in a target. */
export const TARGET_FOLDER = '/srv/planted';

/** The usual cluster, with secrets in the files and the variables of its pods. */
export function labWith(secrets: Planted): (usual: LabOptions) => LabOptions {
  const { fileName, fileText, variable } = secrets;
  const planted = {
    env: { PLANTED_KEY: variable },
    files: [
      { path: `${TARGET_FOLDER}/${fileName}.txt`, text: `secret = "${fileText}"\n` },
      { path: `${TARGET_FOLDER}/closed-${fileName}`, text: fileText, mode: 0o000 },
    ],
  };
  return (usual) => ({
    ...usual,
    namespaces: usual.namespaces.map((namespace) =>
      namespace.name !== NAMESPACE
        ? namespace
        : {
            ...namespace,
            pods: (namespace.pods ?? []).map((pod) => ({
              ...pod,
              containers: pod.containers.map((container) => ({ ...container, ...planted })),
            })),
          },
    ),
  });
}

/** Two persons by token and a SIEM by webhook; written before the gateway starts. */
export async function integrationsFile(folder: string, secrets: Planted): Promise<string> {
  const digest = (token: string) => createHash('sha256').update(token).digest('hex');
  const token = (value: string) => [{ id: 'one', kind: 'token', sha256: digest(value) }];
  const MANY = 10_000;
  const all = {
    ...{ tenant: 'default', clusters: ['*'], namespaces: ['*'], approval: 'never' },
    limits: { openMax: MANY, requestsPerSecond: MANY, ordersPerHour: MANY },
    ...{ repeatSeconds: 0, stormSeconds: 0, mayApprove: true, mayReadEvidence: true },
  };
  const person = { ...all, kind: 'person' };
  const hmac = [{ id: 'one', kind: 'hmac', secret: secrets.webhook }];
  const integrations = [
    { ...person, id: 'analyst', credentials: token(secrets.token) },
    { ...person, id: 'asker', approval: 'always', credentials: token(secrets.otherToken) },
    { ...all, id: 'siem', kind: 'integration', mayReadEvidence: false, credentials: hmac },
  ];
  const file = join(folder, 'planted-integrations.json');
  await writeFile(file, JSON.stringify({ version: 1, integrations }), { mode: 0o600 });
  return file;
}

/** Headers of a webhook that this secret has signed. */
export function signedBy(secret: string, body: string): Record<string, string> {
  const id = `msg_${random(12)}`;
  const timestamp = String(Math.floor(Date.now() / 1_000));
  return {
    'content-type': 'application/json',
    'impound-integration': 'siem',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatureOf(secret, { id, timestamp }, body),
  };
}

/** More clusters for all services: a damaged kubeconfig, a wrong token, a bad key. */
export async function plantKubeconfigs(
  { directory, lab }: Pick<Fleet, 'directory' | 'lab'>,
  secrets: Planted,
): Promise<void> {
  const good = lab.kubeconfig('impound/looker');
  const kubeconfigs = {
    damaged: `${good}\n  token: "${secrets.brokenKubeconfig}\n- : [`,
    refused: good.replace(/token: .*/, `token: "${secrets.wrongKubeconfig}"`),
    keyed: good.replace(/token: .*/, keyData(secrets.clientKey)),
  };
  const names = (await readdir(directory)).filter((name) => name.endsWith('.clusters.json'));
  for (const [name, text] of Object.entries(kubeconfigs)) {
    await writeFile(join(directory, `${name}.kubeconfig`), text, { mode: 0o600 });
  }
  for (const name of names) {
    const known: Record<string, unknown> = JSON.parse(
      await readFile(join(directory, name), 'utf8'),
    );
    for (const cluster of Object.keys(kubeconfigs)) {
      known[cluster] = { kubeconfig: join(directory, `${cluster}.kubeconfig`) };
    }
    await writeFile(join(directory, name), JSON.stringify(known));
  }
}

function keyData(key: string): string {
  const pem = (what: string) =>
    Buffer.from(`-----BEGIN ${what}-----\n${key}\n-----END ${what}-----\n`).toString('base64');
  const data = { certificate: pem('CERTIFICATE'), key: pem('PRIVATE KEY') };
  return `client-certificate-data: ${data.certificate}\n    client-key-data: ${data.key}`;
}

/** Secrets that the fleet made for itself: of the bus, of the database, of the cluster. */
export async function ownSecrets(fleet: Fleet): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const seeds = join(fleet.directory, 'bus-keys');
  for (const name of await readdir(seeds)) {
    found.set(`seed ${name}`, (await readFile(join(seeds, name), 'utf8')).trim());
  }
  found.set('password of the ledger', fleet.database.now().password('ledger_writer'));
  for (const name of (await readdir(fleet.directory)).filter((one) =>
    one.endsWith('.kubeconfig'),
  )) {
    const text = await readFile(join(fleet.directory, name), 'utf8');
    const token = /token: "([^"\n]+)"/.exec(text)?.[1];
    if (token !== undefined && name !== 'damaged.kubeconfig') found.set(`token of ${name}`, token);
  }
  return found;
}
