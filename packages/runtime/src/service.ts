// SPDX-License-Identifier: Apache-2.0
import type { EventContract } from '@impound/contracts/event.ts';
import type { WorkerId } from '@impound/contracts/ids.ts';
import type { QuestionContract, ReplyOf, RequestOf } from '@impound/contracts/question.ts';
import type { NatsConnection } from '@nats-io/transport-node';
import type * as z from 'zod';
import type { Ask } from './ask.ts';
import type { Log } from './log.ts';
import type { Message } from './message.ts';
import type { Outsider } from './outsider.ts';
import type { Exercise } from './practice.ts';
import type { Said, SayNow } from './say.ts';
import type { Spool } from './spool.ts';
import type { StatementSigner } from './statement.ts';

/** What the runtime hands to a service when it opens. */
export interface House {
  readonly service: string;
  readonly worker: WorkerId;
  readonly log: Log;
  readonly ask: Ask;
  readonly say: SayNow;
  /** For the runtime's own functions (door, relay, watch); a service does not call it. */
  readonly connection: NatsConnection;
  /** Who signs what the service captures and stores. */
  readonly signer?: StatementSigner | undefined;
  /** Where results of jobs are kept until they are on record. */
  readonly spool?: Spool | undefined;
  /** Aborts when the process is asked to stop. */
  readonly stopping: AbortSignal;
}

/** Why a message or a job was given up, in the words of its fault. */
export interface GivenUp {
  readonly code: string;
  readonly because: string;
}

/** Hears one event and returns what is to be said because of it. */
export interface Handling<Says extends EventContract, Deps> {
  readonly kind: 'handler';
  readonly contract: EventContract;
  readonly handle: (
    // biome-ignore lint/suspicious/noExplicitAny: on() has checked the contract
    message: Message<any>,
    deps: Deps,
    signal: AbortSignal,
  ) => Promise<Said<Says> | undefined>;
  /** What is said when the message is given up, so that nothing ends in silence. */
  // biome-ignore lint/suspicious/noExplicitAny: on() has checked the contract
  readonly otherwise?: ((message: Message<any>, fault: GivenUp) => Said<Says>) | undefined;
  /** True where it is to be done also for an acquisition that has ended. */
  readonly outlives?: boolean | undefined;
}

/** A worker's view of its own job. */
export interface Work {
  readonly worker: WorkerId;
  /** Told to people with the next heartbeat. */
  progress(phase: string, files: number, bytes: number): void;
}

/** Hears an assignment, claims it on the record, and only then works, for as long as it takes. */
export interface Job<Says extends EventContract, Deps> {
  readonly kind: 'job';
  readonly contract: EventContract;
  readonly route: string;
  /** How many run at once in one process. */
  readonly slots: number;
  /** How often it says that it lives; left out: every HEARTBEAT_MS. */
  readonly heartbeatMs?: number | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: job() has checked the contract
  readonly claim: (message: Message<any>, worker: WorkerId) => Said<Says>;
  readonly handle: (
    // biome-ignore lint/suspicious/noExplicitAny: job() has checked the contract
    message: Message<any>,
    deps: Deps,
    work: Work,
    signal: AbortSignal,
  ) => Promise<Said<Says>>;
  // biome-ignore lint/suspicious/noExplicitAny: job() has checked the contract
  readonly otherwise: (message: Message<any>, fault: GivenUp, worker: WorkerId) => Said<Says>;
}

export type Subscription<Says extends EventContract, Deps> = Handling<Says, Deps> | Job<Says, Deps>;

/** Attaches a handler to an event. */
export function on<C extends EventContract, Says extends EventContract, Deps>(
  contract: C,
  handle: (message: Message<C>, deps: Deps, signal: AbortSignal) => Promise<Said<Says> | undefined>,
  otherwise?: (message: Message<C>, fault: GivenUp) => Said<Says>,
  { outlives }: { readonly outlives?: boolean } = {},
): Handling<Says, Deps> {
  return { kind: 'handler', contract, handle, otherwise, outlives };
}

/** Attaches a job to an assignment. */
export function job<
  C extends EventContract,
  Claim extends EventContract,
  Says extends EventContract,
  Deps,
>(
  contract: C,
  terms: {
    readonly route: string;
    readonly slots: number;
    readonly heartbeatMs?: number | undefined;
    readonly claim: (message: Message<C>, worker: WorkerId) => Said<Claim>;
    readonly otherwise: (message: Message<C>, fault: GivenUp, worker: WorkerId) => Said<Says>;
  },
  handle: (message: Message<C>, deps: Deps, work: Work, signal: AbortSignal) => Promise<Said<Says>>,
): Job<Claim | Says, Deps> {
  return { kind: 'job', contract, ...terms, handle };
}

/** Answers one question. */
export interface Answering<Deps> {
  readonly question: QuestionContract;
  // biome-ignore lint/suspicious/noExplicitAny: answer() has checked the question
  readonly answer: (request: any, deps: Deps, signal: AbortSignal, by: Outsider) => Promise<any>;
}

/** `by` is for questions from outside alone. */
export function answer<Q extends QuestionContract, Deps>(
  question: Q,
  reply: (
    request: RequestOf<Q>,
    deps: Deps,
    signal: AbortSignal,
    by: Outsider,
  ) => Promise<ReplyOf<Q>>,
): Answering<Deps> {
  return { question, answer: reply };
}

// biome-ignore lint/suspicious/noExplicitAny: stands for whatever it says
type AnySubscription<Deps> = Subscription<any, Deps>;

/** What the handlers and answers together need of the world: what `open` has to give. */
export type Needs<Part> = (
  Part extends AnySubscription<infer Deps> | Answering<infer Deps>
    ? (deps: [Deps] extends [never] ? unknown : Deps) => void
    : never
) extends (deps: infer All) => void
  ? All
  : never;

/** One service, declared in one place: what it reads, opens, says, hears and answers. */
export interface Service<
  Config extends z.ZodObject,
  Says extends EventContract,
  Hears extends Subscription<Says, never>,
  Answers extends Answering<never>,
> {
  readonly name: string;
  readonly config: Config;
  /** Opens what the handlers need and gives each resource to the scope in the next line. */
  readonly open: (
    config: z.output<Config>,
    scope: AsyncDisposableStack,
    house: House,
  ) => Promise<Needs<Hears | Answers>>;
  readonly says: readonly Says[];
  readonly hears: readonly Hears[];
  readonly answers: readonly Answers[];
  /** What a process does once it has started, so that it need not be done for the first time when
   * it counts: it loads something, or gives what is to be practised. */
  readonly practice?: () => Promise<readonly Exercise[]>;
}

/** A service of any shape, for those who start them. */
// biome-ignore lint/suspicious/noExplicitAny: the declaration itself was checked by service()
export type AnyService = Service<any, any, any, any>;

/** Declares a service. A handler that returns an event missing from `says` does not compile. */
export function service<
  Config extends z.ZodObject,
  Says extends EventContract,
  Hears extends Subscription<NoInfer<Says>, never>,
  Answers extends Answering<never>,
>(declaration: Service<Config, Says, Hears, Answers>): Service<Config, Says, Hears, Answers> {
  return declaration;
}
