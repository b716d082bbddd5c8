// SPDX-License-Identifier: Apache-2.0
import { stringify } from 'yaml';
import * as z from 'zod';
import { Entry } from '../src/entry.ts';
import { Envelope } from '../src/envelope.ts';
import { type EventContract, nounVerb } from '../src/event.ts';
import { Integrations } from '../src/integration.ts';
import { Order } from '../src/order.ts';
import { PARTIES } from '../src/parties.ts';
import { Progress } from '../src/progress.ts';
import { askSubject, outsideSubject, type QuestionContract } from '../src/question.ts';
import { SayReply } from '../src/say.ts';
import { STREAM } from '../src/streams.ts';
import { events, questions } from './contracts.ts';

const BASE = 'https://impound.dev/schemas/';

/** JSON Schema 2020-12 of what a speaker may send (input mode: unknown fields are ignored). */
function schemaOf(name: string, shape: z.ZodType): object {
  const schema = z.toJSONSchema(shape, { io: 'input', target: 'draft-2020-12' });
  return { $id: `${BASE + name}.schema.json`, title: name, ...schema };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Every generated file below contracts/schemas, by its name. */
export async function artifacts(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const said = (await events()).map(({ contract }) => contract);
  const asked = (await questions()).map(({ contract }) => contract);
  for (const one of said) files.set(`${one.type}.schema.json`, json(schemaOf(one.type, one.shape)));
  for (const one of asked) {
    for (const side of ['request', 'reply'] as const) {
      const name = `${one.name}.${side}`;
      files.set(`${name}.schema.json`, json(schemaOf(name, one[side])));
    }
  }
  for (const [name, shape] of [
    ['entry', Entry],
    ['envelope', Envelope],
    ['integrations', Integrations],
    ['order', Order],
    ['progress', Progress],
    ['say-reply', SayReply],
  ] as const) {
    files.set(`${name}.schema.json`, json(schemaOf(name, shape)));
  }
  files.set('asyncapi.yaml', asyncapi(said, asked));
  return files;
}

/** contracts/src/events.ts: every event in one list, for whoever has to know all of them. */
export async function eventList(): Promise<string> {
  const all = await events();
  const imports = new Map(all.map(({ name, file }) => [file, `import { ${name} }`]));
  imports.set('event.ts', 'import type { EventContract }');
  const sorted = [...imports].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return [
    '// SPDX-License-Identifier: Apache-2.0',
    ...sorted.map(([file, words]) => `${words} from './${file}';`),
    '',
    '/** Every event there is. Made by `npm run generate` from the files of the events. */',
    'export const EVENTS: readonly EventContract[] = [',
    ...all.map(({ name }) => `  ${name},`),
    '];',
    '',
  ].join('\n');
}

function asyncapi(said: readonly EventContract[], asked: readonly QuestionContract[]): string {
  const channels = Object.fromEntries([...said.flatMap(eventChannels), ...asked.map(askChannel)]);
  const operations = Object.fromEntries(Object.entries(PARTIES).flatMap(operationsOf));
  return stringify(
    {
      asyncapi: '3.0.0',
      info: {
        title: 'impound',
        version: '1.0.0',
        description: 'What the services say, hear and ask. Generated from contracts/src.',
        license: { name: 'Apache-2.0' },
      },
      defaultContentType: 'application/json',
      channels,
      operations,
      'x-impound-stream': STREAM,
    },
    { aliasDuplicateObjects: false, lineWidth: 0 },
  );
}

function parameters(...names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, { description: 'one subject token' }]));
}

function messageOf(type: string): object {
  const payload = { schemaFormat: 'application/schema+json;version=draft-2020-12' };
  return {
    name: type,
    contentType: 'application/cloudevents+json',
    payload: { ...payload, schema: { $ref: `./${type}.schema.json` } },
  };
}

function eventChannels({ type }: EventContract): [string, object][] {
  const [noun, verb] = nounVerb(type);
  const messages = { event: messageOf(type) };
  return [
    [
      `say.${type}`,
      {
        address: `impound.v1.say.{service}.{tenant}.${noun}.${verb}`,
        description: 'Request to the ledger, answered after the commit (say-reply).',
        parameters: parameters('service', 'tenant'),
        messages,
      },
    ],
    [
      `event.${type}`,
      {
        address: `impound.v1.event.${noun}.${verb}.{route}.{tenant}.{acquisition}`,
        description: 'Published by the ledger once it is recorded.',
        parameters: parameters('route', 'tenant', 'acquisition'),
        messages,
      },
    ],
  ];
}

function askChannel({ name, outside }: QuestionContract): [string, object] {
  const side = (which: string) => ({
    name: `${name}.${which}`,
    payload: {
      schemaFormat: 'application/schema+json;version=draft-2020-12',
      schema: { $ref: `./${name}.${which}.schema.json` },
    },
  });
  const address = outside ? outsideSubject(name, '{tenant}', '{integration}') : askSubject(name);
  const named = outside ? { parameters: parameters('tenant', 'integration') } : {};
  return [
    `ask.${name}`,
    { address, ...named, messages: { request: side('request'), reply: side('reply') } },
  ];
}

function operationsOf([service, party]: [string, (typeof PARTIES)[string]]): [string, object][] {
  const operation = (action: string, channel: string) => ({
    action,
    channel: { $ref: `#/channels/${channel.replaceAll('~', '~0').replaceAll('/', '~1')}` },
  });
  return [
    ...party.says.map(
      (type) => [`${service}.says.${type}`, operation('send', `say.${type}`)] as [string, object],
    ),
    ...party.hears.map(
      (type) =>
        [`${service}.hears.${type}`, operation('receive', `event.${type}`)] as [string, object],
    ),
    ...party.asks.map(
      (name) => [`${service}.asks.${name}`, operation('send', `ask.${name}`)] as [string, object],
    ),
    ...party.answers.map(
      (name) =>
        [`${service}.answers.${name}`, operation('receive', `ask.${name}`)] as [string, object],
    ),
  ];
}
