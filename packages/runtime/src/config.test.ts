// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { ConfigFault, type Environment, houseConfig, readConfig } from './config.ts';
import { SecretText } from './secret.ts';

const schema = houseConfig.extend({
  STORE_DIR: z.string().min(1),
  STALL_MS: z.coerce.number().int().min(100).default(15_000),
  DATABASE_URL: SecretText,
  PUBLIC_URL: z.url().optional(),
  MODE: z.enum(['none', 'governance']).optional(),
  SIGNING_KEY: z
    .string()
    .refine((key) => key.length > 31, 'at least 32 characters')
    .optional(),
});

const GOOD: Environment = {
  NATS_URL: 'nats://bus:4222',
  STORE_DIR: '/store',
  DATABASE_URL: 'postgres://u:p@h/d',
};

function faultOf(environment: Environment): ConfigFault {
  try {
    readConfig(schema, environment);
  } catch (error) {
    assert.ok(error instanceof ConfigFault);
    return error;
  }
  throw new assert.AssertionError({ message: 'the environment was taken' });
}

test('what is given is read, what is left out gets its default', () => {
  const config = readConfig(schema, { ...GOOD, STALL_MS: '200', UNRELATED: 'x' });
  assert.deepEqual(
    [config.NATS_URL, config.STALL_MS, config.LOG_LEVEL, config.DATABASE_URL.reveal()],
    ['nats://bus:4222', 200, 'info', 'postgres://u:p@h/d'],
  );
  assert.equal('UNRELATED' in config, false);
  assert.equal(config.HEALTH_PORT, undefined);
});

test('an empty text counts as absent', () => {
  const empty = {
    STALL_MS: '',
    HEALTH_PORT: '',
    NATS_NKEY_FILE: '',
    LOG_LEVEL: '',
    PUBLIC_URL: '',
  };
  const config = readConfig(schema, { ...GOOD, ...empty });
  assert.deepEqual(
    [config.STALL_MS, config.HEALTH_PORT, config.NATS_NKEY_FILE],
    [15_000, undefined, undefined],
  );
  assert.match(faultOf({ ...GOOD, STORE_DIR: '' }).message, /STORE_DIR is missing/);
});

test('all faults are told together', () => {
  const fault = faultOf({ STALL_MS: 'x', HEALTH_PORT: '70000' });
  assert.equal(fault.exitCode, 78);
  const lines = fault.message
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(' ')[0]);
  assert.deepEqual(lines.toSorted(), [
    'DATABASE_URL',
    'HEALTH_PORT',
    'NATS_URL',
    'STALL_MS',
    'STORE_DIR',
  ]);
});

const WRONG: Environment = {
  NATS_URL: 'nats://me:hunter2hunter2@bus:4222',
  LOG_LEVEL: 'hunter2hunter2',
  HEALTH_PORT: 'hunter2hunter2',
  STALL_MS: 'hunter2hunter2',
  PUBLIC_URL: 'hunter2hunter2',
  MODE: 'hunter2hunter2',
  SIGNING_KEY: 'hunter2hunter2',
};

for (const [name, value] of Object.entries(WRONG)) {
  test(`a wrong ${name} is told by its name, never by its value`, () => {
    const { message } = faultOf({ ...GOOD, [name]: value });
    assert.match(message, new RegExp(`${name} is not what it should be: .`));
    assert.doesNotMatch(message, /hunter2/);
    assert.equal(message.split('\n').length, 2);
  });
}

for (const url of ['http://bus', 'bus:4222', 'nats://u:p@bus', 'nats://', 'nats://bus 2']) {
  test(`${JSON.stringify(url)} is no address of a bus`, () => {
    assert.match(faultOf({ ...GOOD, NATS_URL: url }).message, /NATS_URL is not what it should be/);
  });
}

test('a rule over several keys is told as itself', () => {
  const either = z.object({ A: z.string().optional(), B: z.string().optional() });
  const one = either.refine(({ A, B }) => A !== undefined || B !== undefined, 'A or B is needed');
  assert.throws(() => readConfig(one, {}), {
    name: 'ConfigFault',
    message: 'the environment does not fit:\n  A or B is needed',
  });
});
