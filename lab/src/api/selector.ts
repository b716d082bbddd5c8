// SPDX-License-Identifier: Apache-2.0
import { badRequest } from './status.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/;
const SET = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUAL = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/;

/** A label selector as a test on labels; throws 400 for one that cannot be read. */
export function labelSelector(text: string): Requirement {
  const requirements = split(text).map(requirement);
  return (labels) => requirements.every((holds) => holds(labels));
}

function split(text: string): string[] {
  const parts = text.match(/(?:[^,(]|\([^)]*\)?)+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function requirement(text: string): Requirement {
  const set = SET.exec(text);
  if (set !== null) return among(set[1] ?? '', set[2] === 'in', set[3] ?? '');
  const equal = EQUAL.exec(text);
  if (equal !== null) return equals(equal[1] ?? '', equal[2] !== '!=', equal[3] ?? '');
  if (text.startsWith('!') && NAME.test(text.slice(1))) {
    return (labels) => labels[text.slice(1)] === undefined;
  }
  if (NAME.test(text)) return (labels) => labels[text] !== undefined;
  if (/=[^=]*[^=!]=/.test(text)) throw badRequest("found '=', expected: ',' or 'end of string'");
  throw badRequest(`unable to parse requirement: found '${text}'`);
}

function equals(key: string, wanted: boolean, value: string): Requirement {
  return (labels) => (labels[key] === value) === wanted;
}

function among(key: string, wanted: boolean, list: string): Requirement {
  const values = list.split(',').map((value) => value.trim());
  return (labels) => {
    const value = labels[key];
    return value === undefined ? !wanted : values.includes(value) === wanted;
  };
}

/** A field selector as a test; `known` are the fields the resource has. Throws 400. */
export function fieldSelector(
  text: string,
  known: readonly string[],
): (value: (field: string) => string) => boolean {
  const tests = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, field = '', operator = '', wanted = ''] = EQUAL.exec(part.trim()) ?? [];
      if (operator === '')
        throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return { field, wanted, equal: operator !== '!=' };
    });
  return (value) => tests.every(({ field, wanted, equal }) => (value(field) === wanted) === equal);
}
