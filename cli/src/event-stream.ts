// SPDX-License-Identifier: Apache-2.0

/** One server-sent event. */
export interface Told {
  readonly event: string;
  /** The id it came with, or that of the event before it. */
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An entry has at most 64 KiB; what is longer is not from a gateway. */
const EVENT_CHARACTERS_MAX = 1_048_576;
const LINE_END = /\r\n|\n|\r/;

/**
 * Parses text/event-stream whose data is one JSON object each, wherever the chunks are cut
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). An event without its end is
 * none. Throws RangeError or SyntaxError for what no gateway sends.
 */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Told> {
  const block = { event: '', id: '', data: '' };
  for await (const line of linesOf(body)) {
    if (line !== '') {
      take(block, line);
      continue;
    }
    const { event, id, data } = block;
    Object.assign(block, { event: '', data: '' });
    if (data !== '') yield { event: event || 'message', id, data: objectOf(data) };
  }
}

/** Lines that have ended; a carriage return at a chunk's end waits for what follows it. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of body) {
    pending += decoder.decode(chunk, { stream: true });
    const whole = pending.endsWith('\r') ? pending.length - 1 : pending.length;
    const lines = pending.slice(0, whole).split(LINE_END);
    pending = (lines.pop() ?? '') + pending.slice(whole);
    guard(pending);
    yield* lines;
  }
  if (pending.endsWith('\r')) yield pending.slice(0, -1);
}

function take(block: { event: string; id: string; data: string }, line: string): void {
  const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
  if (field === 'data') block.data += `${value}\n`;
  if (field === 'event') block.event = value;
  if (field === 'id' && !value.includes('\0')) block.id = value;
  guard(block.data);
}

function guard(text: string): void {
  if (text.length <= EVENT_CHARACTERS_MAX) return;
  throw new RangeError(`an event of more than ${EVENT_CHARACTERS_MAX} characters`);
}

function objectOf(data: string): Told['data'] {
  const value: unknown = JSON.parse(data);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Told['data'];
  }
  throw new SyntaxError('the data of an event is no JSON object');
}
