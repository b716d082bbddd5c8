// SPDX-License-Identifier: Apache-2.0
import type * as z from 'zod';

/** One question: name, request, reply, specimen. Asked at `impound.v1.ask.<service>.<question>`. */
export interface QuestionContract<
  Name extends string = string,
  // biome-ignore lint/suspicious/noExplicitAny: a question of any shape is a question
  Request extends z.ZodType = z.ZodType<any>,
  // biome-ignore lint/suspicious/noExplicitAny: a question of any shape is a question
  Reply extends z.ZodType = z.ZodType<any>,
> {
  /** `service.question.vN`, equal to the file's path. */
  readonly name: Name;
  readonly request: Request;
  readonly reply: Reply;
  /** Asked by integrations from accounts of their own; see `outsideSubject`. */
  readonly outside?: boolean;
  readonly example: { readonly request: z.input<Request>; readonly reply: z.input<Reply> };
}

export type RequestOf<Q extends QuestionContract> = z.output<Q['request']>;
export type ReplyOf<Q extends QuestionContract> = z.output<Q['reply']>;

/** Declares a question; the only way they are made. */
export function question<
  const Name extends string,
  Request extends z.ZodType,
  Reply extends z.ZodType,
>(contract: QuestionContract<Name, Request, Reply>): QuestionContract<Name, Request, Reply> {
  return contract;
}

/** `ledger.history.v1` is asked at `impound.v1.ask.ledger.history`. */
export function askSubject(name: string): string {
  const [service, what] = name.split('.');
  return ['impound.v1.ask', service, what].join('.');
}

/**
 * Where a question from outside arrives: who asks does not write tenant and integration, the server
 * does, by the import of the account that the question comes from.
 */
export function outsideSubject(name: string, tenant: string, integration: string): string {
  return [askSubject(name), tenant, integration].join('.');
}
