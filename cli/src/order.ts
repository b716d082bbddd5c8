// SPDX-License-Identifier: Apache-2.0
import { Order } from '@impound/contracts/order.ts';
import { parseTarget, type Target } from '@impound/contracts/target.ts';
import * as z from 'zod';
import type { Arguments } from './arguments.ts';
import { EXIT, Exit } from './exit-code.ts';

/** What an acquisition is asked for with, but for its target. */
export type Wish = Omit<z.input<typeof Order>, 'target'>;

const Wished = Order.omit({ target: true });

/** The options by the fields of an order that they fill. */
const OPTION_OF: Readonly<Record<string, string>> = {
  caseId: 'case',
  reason: 'reason',
  profile: 'profile',
  methods: 'method',
  paths: 'path',
  deadlineSeconds: 'deadline',
};

/** Reads the options of an order before anything starts. Throws Exit(usage) naming the option. */
export function wishOf(args: Arguments): Wish {
  const methods = args.list('method');
  const [profile, deadline] = [args.text('profile'), args.text('deadline')];
  const wish = {
    caseId: args.needed('case'),
    reason: args.needed('reason'),
    paths: args.list('path'),
    ...(profile === undefined ? {} : { profile }),
    ...(methods.length === 0 ? {} : { methods }),
    ...(deadline === undefined ? {} : { deadlineSeconds: secondsOf(deadline) }),
  };
  const key = args.text('idempotency-key') ?? 'none';
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new Exit(EXIT.usage, '--idempotency-key: 1 to 200 visible ASCII characters');
  }
  const parsed = Wished.safeParse(wish);
  if (parsed.success) return wish as Wish;
  const faults = parsed.error.issues.map(({ path: [field, at], message }) => {
    const option = `--${OPTION_OF[String(field)] ?? String(field)}`;
    const which = typeof at === 'number' ? ` ${String(listOf(wish, field)[at])}` : '';
    return `${option}${which}: ${message}`;
  });
  throw new Exit(EXIT.usage, faults.join('; '));
}

function listOf(wish: object, field: PropertyKey | undefined): readonly unknown[] {
  const value = (wish as Record<PropertyKey, unknown>)[field ?? ''];
  return Array.isArray(value) ? value : [];
}

/** Only digits are seconds: '', ' 5', 1e9 and 0x10 are none. */
function secondsOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Exit(EXIT.usage, `--deadline ${text}: whole seconds from now, e.g. 3600`);
}

const TARGET_FORM = 'kubernetes://CLUSTER/NAMESPACE/POD[/CONTAINER]';

/** The one target of a command line. Throws Exit(usage) that says which part is wrong. */
export function targetOf({ positionals }: Arguments): Target {
  const [text, ...more] = positionals;
  if (text === undefined || more.length > 0) {
    throw new Exit(EXIT.usage, `acquire takes one target: ${TARGET_FORM}`);
  }
  try {
    return parseTarget(text);
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const why = issue === undefined ? '' : ` (${[...issue.path, issue.message].join(': ')})`;
    throw new Exit(EXIT.usage, `${text} is no target${why}: ${TARGET_FORM}`, { cause });
  }
}
