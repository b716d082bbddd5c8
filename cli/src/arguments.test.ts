// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';
import { EXIT, Exit } from './exit-code.ts';

const ID = '0199f5a2-7c3e-7a10-8f52-2f6a3b9c4d01';

function refused(argv: readonly string[]): Exit {
  try {
    readArguments(argv);
  } catch (error) {
    assert.ok(error instanceof Exit);
    assert.equal(error.code, EXIT.usage);
    return error;
  }
  assert.fail(`${argv.join(' ')} was taken`);
}

test('a command line is a command, what it is about, and options', () => {
  const args = readArguments(['export', ID, '--out', 'bag', '--json']);
  assert.equal(args.command, 'export');
  assert.deepEqual(args.positionals, [ID]);
  assert.equal(args.text('out'), 'bag');
  assert.equal(args.flag('json'), true);
  assert.equal(args.text('purpose'), undefined);
});

test('an option that may come again is a list in its order', () => {
  const args = readArguments(['acquire', 'T', '--path', '/b', '--path=/a']);
  assert.deepEqual(args.list('path'), ['/b', '/a']);
  assert.deepEqual(args.list('method'), []);
});

const HELPS: readonly (readonly string[])[] = [
  [],
  ['help'],
  ['--help'],
  ['-h'],
  ['acquire', 'T', '--help'],
  ['help', 'acquire'],
];
for (const argv of HELPS) {
  test(`help is what "impound ${argv.join(' ')}" asks for`, () => {
    assert.equal(readArguments(argv).command, 'help');
  });
}

const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
  [['acquier'], /there is no command acquier/],
  [['constructor'], /there is no command constructor/],
  [['list', '--nonsense'], /Unknown option '--nonsense'/],
  [['list', '--out', 'x'], /list takes no --out/],
  [['verify', 'bag', '--url', 'http://x'], /verify takes no --url/],
  [['up', '--url', 'http://x'], /up takes no --url/],
  [['list', '--json=yes'], /'--json' does not take an argument/],
  [['show', ID, '--data'], /--data/],
];
for (const [argv, words] of REFUSED) {
  test(`"impound ${argv.join(' ')}" is refused by name`, () => {
    assert.match(refused(argv).message, words);
  });
}

test('what looks like a token on the command line is not repeated', () => {
  assert.doesNotMatch(refused(['list', '--token=planted-secret']).message, /planted/);
});

test('what is needed and missing is named', () => {
  const args = readArguments(['cancel', ID]);
  assert.throws(() => args.needed('reason'), /--reason is needed/);
});
