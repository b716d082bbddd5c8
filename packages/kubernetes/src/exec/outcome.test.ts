// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATUS_BYTES_MAX, statusReader } from './outcome.ts';

function read(status: unknown, argv: readonly string[] = ['sh']) {
  const reader = statusReader(argv);
  reader.push(Buffer.from(typeof status === 'string' ? status : JSON.stringify(status)));
  return reader;
}

function exit(message: string) {
  const details = { causes: [{ reason: 'ExitCode', message }] };
  return { status: 'Failure', reason: 'NonZeroExitCode', details };
}

for (const [message, exitCode] of [
  ['1', 1],
  ['137', 137],
  ['3221225786', 3_221_225_786],
  ['-1', -1],
] as const) {
  test(`the exit code ${message} is taken from the causes`, () => {
    assert.deepEqual(read(exit(message)).outcome(), { exitCode });
  });
}

for (const status of [
  exit('0'),
  exit('x'),
  exit('1e3'),
  exit(''),
  {},
  { status: 'Maybe' },
  'null',
]) {
  test(`${JSON.stringify(status)} is no outcome`, () => {
    const reader = read(status);
    assert.equal(reader.outcome(), undefined);
    assert.equal(reader.garbled(), true);
  });
}

const CRUN = 'executable file `NAME` not found in $PATH: No such file or directory';

for (const [message, argv, code] of [
  [CRUN, ['/bin/busybox', 'sh'], 'no-shell'],
  [CRUN, ['tar'], 'command-not-started'],
  ['OCI runtime exec failed: permission denied', ['/etc'], 'command-not-started'],
  ['container not found ("app")', ['sh'], 'container-not-found'],
  ['error dialing backend: i/o timeout', ['sh'], 'node-unreachable'],
  ['something broke on the way', ['sh'], 'outcome-unknown'],
] as const) {
  test(`a failure that says "${message}" of ${argv[0]} is ${code}`, () => {
    const outcome = read({ status: 'Failure', reason: 'InternalError', message }, argv).outcome();
    assert.ok(outcome && 'fault' in outcome);
    assert.equal(outcome.fault.code, code);
  });
}

test('the first status counts, a flood of garbage before it is bounded', () => {
  const reader = read({ status: 'Success' });
  reader.push(Buffer.from(JSON.stringify(exit('9'))));
  assert.deepEqual(reader.outcome(), { exitCode: 0 });
  const flooded = read(' '.repeat(STATUS_BYTES_MAX));
  flooded.push(Buffer.from('{"status":"Success"}'));
  assert.equal(flooded.outcome(), undefined);
});
