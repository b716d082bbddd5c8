// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { ConfigFault } from '@impound/runtime/config.ts';
import { messageOf } from '@impound/runtime/fault.ts';
import type { House } from '@impound/runtime/service.ts';
import type { Asked, Decided, Policies } from '../domain/policy.ts';
import { callOf } from './cedar-call.ts';
import { markOfFolder, reread } from './reread.ts';

const HOME = fileURLToPath(new URL('../policy/', import.meta.url));
const FILE_CHARACTERS_MAX = 1_048_576;
const FAULTS_MAX = 16;

interface Policy {
  readonly id: string;
  readonly because: string;
  readonly text: string;
}

/**
 * The policies of the house and those in an operator's folder (`*.cedar`), checked against the
 * schema. Throws ConfigFault that names file, policy and fault.
 */
export async function openPolicies(folder?: string): Promise<Policies> {
  const schema = await readFile(join(HOME, 'impound.cedarschema'), 'utf8');
  const own = await policiesOf(join(HOME, 'impound.cedar'));
  const more = folder === undefined ? [] : await inFolder(folder);
  const policies = [...own, ...more.flat()];
  refuseTwins(policies);
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]));
  refuseInvalid(schema, staticPolicies);
  const policySet = createHash('sha256')
    .update(JSON.stringify([schema, Object.entries(staticPolicies).toSorted()]))
    .digest('hex');
  refuseFailure(cedar.preparseSchema(policySet, schema), 'the schema');
  refuseFailure(cedar.preparsePolicySet(policySet, { staticPolicies }), 'the policies');
  const sentences = new Map(policies.map(({ id, because }) => [id, because]));
  return {
    decide: (asked) => {
      // The same caller and request were held against the schema for 'acquire': twice is half of
      // all that a request costs here.
      const fits = asked.action === 'acquire-alone';
      return decided(fits ? callOf(asked) : checkedCall(asked, policySet), policySet, sentences);
    },
  };
}

/** The same, read again whenever the folder is another one. */
export async function followPolicies(
  folder: string | undefined,
  { log, stopping }: Pick<House, 'log' | 'stopping'>,
): Promise<Policies & { fault(): string | undefined }> {
  const mark = async () => (folder === undefined ? '' : await markOfFolder(folder, ENDING));
  const source = { what: 'policies', mark, read: () => openPolicies(folder) };
  const { current, fault } = await reread(source, log, stopping);
  return { decide: (asked) => current().decide(asked), fault };
}

const ENDING = '.cedar';

async function inFolder(folder: string): Promise<Policy[][]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigFault(`POLICY_DIR: ${folder} cannot be read: ${error.code}`);
  });
  const files = names.filter((name) => name.endsWith(ENDING)).toSorted();
  return await Promise.all(files.map((name) => policiesOf(join(folder, name))));
}

async function policiesOf(file: string): Promise<Policy[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConfigFault(`${file} cannot be read: ${error.code}`);
  });
  if (text.length > FILE_CHARACTERS_MAX) throw new ConfigFault(`${file} is too large`);
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') throw new ConfigFault(`${file}: ${sentencesOf(parts.errors)}`);
  if (parts.policy_templates.length > 0) {
    throw new ConfigFault(`${file}: templates are not used: write policies`);
  }
  return parts.policies.map((one) => policyOf(one, file));
}

const ID = /^[a-z0-9][a-z0-9-]{0,127}$/;

function policyOf(text: string, file: string): Policy {
  const read = cedar.policyToJson(text);
  if (read.type === 'failure') throw new ConfigFault(`${file}: ${sentencesOf(read.errors)}`);
  const { id = '', because } = read.json.annotations ?? {};
  if (ID.test(id)) return { id, because: because || `policy ${id} decides so`, text };
  const where = text.slice(0, 60).replaceAll(/\s+/g, ' ');
  throw new ConfigFault(`${file}: a policy needs @id("kebab-case"): ${where}`);
}

function refuseTwins(policies: readonly Policy[]): void {
  const ids = policies.map(({ id }) => id);
  const twin = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twin !== undefined) throw new ConfigFault(`two policies are called ${twin}: rename one`);
}

function refuseInvalid(schema: string, staticPolicies: Record<string, string>): void {
  const answer = cedar.validate({ schema, policies: { staticPolicies } });
  if (answer.type === 'failure') throw new ConfigFault(sentencesOf(answer.errors));
  const faults = answer.validationErrors
    .slice(0, FAULTS_MAX)
    .map(({ policyId, error }) => `policy ${policyId}: ${sentencesOf([error])}`);
  if (faults.length > 0) throw new ConfigFault(faults.join('\n  '));
}

function refuseFailure(answer: cedar.CheckParseAnswer, what: string): void {
  if (answer.type === 'failure') throw new ConfigFault(`${what}: ${sentencesOf(answer.errors)}`);
}

function sentencesOf(errors: readonly cedar.DetailedError[]): string {
  return errors.map(({ message, help }) => (help ? `${message} (${help})` : message)).join('; ');
}

const NONE = 'no policy allows it';

type Call = Omit<cedar.StatefulAuthorizationCall, 'preparsedPolicySetId'>;

function checkedCall(asked: Asked, policySet: string): Call {
  return { ...callOf(asked), preparsedSchemaName: policySet, validateRequest: true };
}

/** A policy that fails forbids: what it would have forbidden nobody knows. */
function decided(call: Call, policySet: string, sentences: ReadonlyMap<string, string>): Decided {
  const answer = answered({ ...call, preparsedPolicySetId: policySet });
  if (answer.type === 'failure') throw new Error(`policies: ${sentencesOf(answer.errors)}`);
  const { decision, diagnostics } = answer.response;
  const failed = diagnostics.errors.map(({ policyId }) => policyId);
  if (failed.length > 0) {
    const because = `policy ${failed.join(', ')} cannot be decided: mend it`;
    return { allowed: false, because, policies: failed, policySet };
  }
  const policies = diagnostics.reason.toSorted();
  const because = policies.map((id) => sentences.get(id) ?? id).join('; ') || NONE;
  return { allowed: decision === 'allow', because, policies, policySet };
}

function answered(call: cedar.StatefulAuthorizationCall): cedar.AuthorizationAnswer {
  try {
    return cedar.statefulIsAuthorized(call);
  } catch (cause) {
    throw new Error(`policies: ${messageOf(cause)}`, { cause });
  }
}
