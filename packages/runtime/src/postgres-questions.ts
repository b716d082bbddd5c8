// SPDX-License-Identifier: Apache-2.0
import { failure } from './postgres-socket.ts';

/** A question of the driver (postgres 3.4.9), as far as it is looked into here. */
interface Question {
  handler: (question: Question) => unknown;
  resolve: (answer: unknown) => void;
  reject: (because: unknown) => void;
}

/** What may be asked over one pool, or within one transaction. */
export interface Ask {
  (...args: unknown[]): unknown;
  unsafe(...args: unknown[]): unknown;
}

type Refuse = (because: Error) => void;
type Body = (asking: Ask) => Promise<unknown>;

/** What was asked of one pool and is not answered yet. */
export interface Questions {
  /** Begins to wait, for as long as may be or without a limit; gives what ends it. */
  wait(refuse: Refuse, limit: 'limited' | 'held'): () => void;
  /** Whether nothing new may be asked. */
  isClosed(): boolean;
  /** Closes, and resolves when all before it is answered. */
  close(): Promise<void>;
  /** Refuses all that is not answered. */
  refuse(because: Error): void;
}

/**
 * The driver loses questions: what it has queued for a connection of a pool that ends, or writes
 * to one that is lost, is neither answered nor refused; nor is what a silent server is asked. So
 * each is counted here, with a limit; `late` is told where one has passed it, and has to refuse
 * the rest.
 */
export function openQuestions(msMax: number, late: (because: Error) => void): Questions {
  const open = new Set<{ readonly refuse: Refuse }>();
  const over = Promise.withResolvers<void>();
  let isClosed = false;
  const giveUp = () => late(failure('ANSWER_TIMEOUT', `no answer within ${msMax} ms`));
  return {
    wait: (refuse, limit) => {
      const timer = limit === 'limited' ? setTimeout(giveUp, msMax) : undefined;
      const one = { refuse };
      open.add(one);
      return () => {
        clearTimeout(timer);
        open.delete(one);
        if (isClosed && open.size === 0) over.resolve();
      };
    },
    isClosed: () => isClosed,
    close: async () => {
      isClosed = true;
      if (open.size > 0) await over.promise;
    },
    refuse: (because) => {
      for (const { refuse } of [...open]) refuse(because);
    },
  };
}

/** The same way to ask, whose questions are watched from the moment they are handed over. */
export function watched(questions: Questions, ask: Ask): Ask {
  return wrapped(questions, ask, questions.isClosed);
}

/** A transaction: while its body runs, its statements have their limits and it has none. */
export async function transaction(
  questions: Questions,
  begin: (body: Body) => Promise<unknown>,
  body: Body,
): Promise<unknown> {
  if (questions.isClosed()) throw ended();
  const { promise: refused, reject } = Promise.withResolvers<never>();
  let isOver = false;
  let done = questions.wait(reject, 'limited');
  const go = (limit: 'limited' | 'held') => {
    if (isOver) return;
    const before = done;
    done = questions.wait(reject, limit);
    before();
  };
  const begun = begin(async (asking) => {
    go('held');
    try {
      return await body(inside(questions, asking));
    } finally {
      go('limited');
    }
  });
  try {
    return await Promise.race([refused, begun]);
  } finally {
    isOver = true;
    done();
  }
}

/** What has begun may go on where nothing new may be asked. */
function inside(questions: Questions, asking: Ask): Ask {
  return wrapped(questions, asking, () => false);
}

function wrapped(questions: Questions, ask: Ask, isRefused: () => boolean): Ask {
  const watchIt = (made: unknown) => (isQuestion(made) ? watch(questions, made, isRefused) : made);
  const unsafe = (...args: unknown[]) => watchIt(ask.unsafe(...args));
  return new Proxy(ask, {
    apply: (_ask, _this, args) => watchIt(ask(...args)),
    get: (_ask, key) => (key === 'unsafe' ? unsafe : Reflect.get(ask, key)),
  });
}

/** A fragment of another question is never handed over by itself, and so never waited for. */
function watch(questions: Questions, made: Question, isRefused: () => boolean): Question {
  const { handler } = made;
  made.handler = (question) => {
    const { resolve, reject } = question;
    if (isRefused()) return reject(ended());
    question.reject = (because) => {
      done();
      reject(because);
    };
    question.resolve = (answer) => {
      done();
      resolve(answer);
    };
    const done = questions.wait(question.reject, 'limited');
    return handler(question);
  };
  return made;
}

function isQuestion(made: unknown): made is Question {
  return made instanceof Promise && 'handler' in made;
}

function ended(): Error {
  return failure('CONNECTION_ENDED', 'the pool has ended');
}
