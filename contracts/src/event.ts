// SPDX-License-Identifier: Apache-2.0
import type * as z from 'zod';
import type { Named } from './statement.ts';

/** How the ledger treats an event that only the holder of an epoch may say. */
export type Fence = 'claim' | 'result';

/** One kind of event: its name, its shape, how it is routed, and a specimen. */
export interface EventContract<
  Type extends string = string,
  // biome-ignore lint/suspicious/noExplicitAny: a contract of any shape is a contract
  Shape extends z.ZodType = z.ZodType<any>,
> {
  readonly type: Type;
  readonly shape: Shape;
  /** One subject token: the executor an assignment is for, '_' elsewhere. */
  readonly route: (data: z.output<Shape>) => string;
  readonly example: z.input<Shape>;
  /** 'claim' begins the work of an epoch, 'result' ends it; both carry `epoch` and are fenced. */
  readonly fence?: Fence;
  /** True for an event that is the first of a chain. */
  readonly begins?: boolean;
  /** True for an event that ends an acquisition. */
  readonly ends?: boolean;
  /** True for an event that nobody needs to hear. */
  readonly terminal?: boolean;
  /** What whoever says it vouches for by a key of its own, beside the data: objects by digest. Such
   * an event has room for a `statement`. */
  readonly signs?: (data: z.output<Shape>) => readonly Named[];
}

export type DataOf<C extends EventContract> = z.output<C['shape']>;

/** Declares an event; the only way contracts are made, so that their types are inferred once. */
export function event<const Type extends string, Shape extends z.ZodType>(
  contract: EventContract<Type, Shape>,
): EventContract<Type, Shape> {
  return contract;
}

/** The noun and the verb of `noun.verb.vN`: two subject tokens. */
export function nounVerb(type: string): readonly [string, string] {
  const [noun, verb] = type.split('.');
  if (noun === undefined || verb === undefined) throw new TypeError(`no event type: ${type}`);
  return [noun, verb];
}

/**
 * Where a service says an event: `impound.v1.say.<service>.<tenant>.<noun>.<verb>`. The bus lets
 * nobody else say it there, so the first token tells who really speaks.
 */
export function saySubject(service: string, tenant: string, type: string): string {
  return ['impound.v1.say', service, tenant, ...nounVerb(type)].join('.');
}

/** Where the ledger publishes an event once it is committed. */
export function eventSubject(to: {
  readonly type: string;
  readonly route: string;
  readonly tenant: string;
  readonly acquisitionId: string;
}): string {
  return ['impound.v1.event', ...nounVerb(to.type), to.route, to.tenant, to.acquisitionId].join(
    '.',
  );
}
