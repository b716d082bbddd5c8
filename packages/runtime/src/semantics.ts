// SPDX-License-Identifier: Apache-2.0
// Every name that leaves the house by OpenTelemetry. Where a semantic convention exists (1.45) it
// is used; what is our own begins with `impound.`. docs/telemetry.md says what to do about them.

/** The scope of a service is this and its name: `impound.ledger`. */
export const SCOPE_PREFIX = 'impound.';

/** The scope of what concerns a whole process. */
export const PROCESS = 'process';

/** Attributes of spans: ids are welcome here, evidence and secrets never. */
export const ATTRIBUTE = {
  acquisition: 'impound.acquisition.id',
  event: 'impound.event.id',
  toldAgain: 'impound.told_again',
  delivery: 'impound.delivery',
  outcome: 'impound.outcome',
  system: 'messaging.system',
  operation: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  error: 'error.type',
  method: 'http.request.method',
  status: 'http.response.status_code',
  route: 'http.route',
} as const;

/** One metric: its name, its unit in UCUM, and what it tells. */
export interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'updown' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly what: string;
}

const metric = (kind: Metric['kind'], name: string, ...[unit, what]: [string, string]): Metric => ({
  name,
  kind,
  unit,
  what,
});

/** What is counted and measured. Labels have few values: no id, no tenant, no target, no name. */
export const METRICS = {
  // every service
  say: metric('histogram', 'impound.say.duration', 's', 'From saying to the answer; outcome'),
  unanswered: metric('counter', 'impound.say.unanswered', '{attempt}', 'Says nobody answered'),
  message: metric('histogram', 'impound.message.duration', 's', 'Handling; type, outcome'),
  redelivered: metric('counter', 'impound.message.redelivered', '{message}', 'Came again; type'),
  ask: metric('histogram', 'impound.ask.duration', 's', 'From asking to the answer; outcome'),
  // executors
  jobsRunning: metric('updown', 'impound.job.running', '{job}', 'Jobs that run'),
  jobSlots: metric('updown', 'impound.job.slots', '{job}', 'Jobs that can run at once'),
  job: metric('histogram', 'impound.job.duration', 's', 'From claim to result; outcome'),
  captured: metric('counter', 'impound.job.captured', 'By', 'Bytes that came from targets'),
  // ledger, while it writes
  entries: metric('counter', 'impound.ledger.entries', '{entry}', 'Entries committed; type'),
  recorded: metric('histogram', 'impound.ledger.say.duration', 's', 'Say to answer; outcome'),
  writing: metric('gauge', 'impound.ledger.writing', '{process}', '1 while this process writes'),
  terms: metric('counter', 'impound.ledger.terms', '{term}', 'Times the pen was taken'),
  untold: metric('gauge', 'impound.ledger.untold', '{entry}', 'Committed, not yet published'),
  untoldAge: metric('gauge', 'impound.ledger.untold.age', 's', 'Age of the oldest of them'),
  toldAgain: metric('counter', 'impound.ledger.told_again', '{entry}', 'Told again'),
  open: metric('gauge', 'impound.acquisition.open', '{acquisition}', 'Open ones; state'),
  openAge: metric('gauge', 'impound.acquisition.open.age', 's', 'Age of the oldest; state'),
  pending: metric('gauge', 'impound.consumer.pending', '{message}', 'Unheard; consumer'),
  unsettled: metric('gauge', 'impound.consumer.unsettled', '{message}', 'Delivered, not settled'),
  // doors
  request: metric('histogram', 'http.server.request.duration', 's', 'HTTP; method, route, status'),
  damaged: metric('gauge', 'impound.files.damaged', '{file}', '1: an older one counts; what'),
  untellable: metric('counter', 'impound.callback.given_up', '{callback}', 'Not told; outcome'),
  refusal: metric('counter', 'impound.http.refused', '{request}', 'Requests refused; code'),
  received: metric('counter', 'impound.upload.received', 'By', 'Bytes of evidence received'),
  differs: metric('counter', 'impound.evidence.differs', '{deviation}', 'Not held so; code'),
  verified: metric('counter', 'impound.evidence.verified', 'By', 'Bytes read back and compared'),
} as const satisfies Readonly<Record<string, Metric>>;

/** What the SDK module watches in every process. */
export const PROCESS_METRICS = {
  memory: metric('updown', 'process.memory.usage', 'By', 'Resident memory'),
  cpu: metric('counter', 'process.cpu.time', 's', 'CPU time; cpu.mode'),
  lag: metric('gauge', 'nodejs.eventloop.delay.p99', 's', 'Delay of the event loop'),
  up: metric('gauge', 'process.uptime', 's', 'Time since the process began'),
} as const satisfies Readonly<Record<string, Metric>>;

/** Names of labels. */
export const LABEL = {
  outcome: 'outcome',
  type: 'type',
  state: 'state',
  code: 'code',
  consumer: 'consumer',
  what: 'what',
} as const;
