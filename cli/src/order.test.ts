// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readArguments } from './arguments.ts';
import { EXIT, Exit } from './exit-code.ts';
import { targetOf, wishOf } from './order.ts';

const TARGET = 'kubernetes://prod/shop/cart-7f9c/cart';
const NEEDED = ['acquire', TARGET, '--case', 'IR-1', '--reason', 'a shell in a web server'];

test('the least that is asked for is a case and a reason', () => {
  const wish = wishOf(readArguments(NEEDED));
  assert.deepEqual(wish, { caseId: 'IR-1', reason: 'a shell in a web server', paths: [] });
});

test('every option of an order reaches its field', () => {
  const more = ['--profile', 'full', '--path', '/etc', '--method', 'exec-stream'];
  const wish = wishOf(readArguments([...NEEDED, ...more, '--deadline', '600']));
  assert.equal(wish.profile, 'full');
  assert.deepEqual(wish.paths, ['/etc']);
  assert.deepEqual(wish.methods, ['exec-stream']);
  assert.equal(wish.deadlineSeconds, 600);
});

const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
  [['--case', 'two words'], /^--case: a case id is/],
  [['--reason', ''], /^--reason: /],
  [['--profile', 'all'], /^--profile: .*triage/],
  [['--method', 'exec-stream', '--method', 'telnet'], /^--method telnet: .*exec-stream/],
  [['--path', '/etc', '--path', 'tmp'], /^--path tmp: a path is absolute/],
  [['--deadline', 'soon'], /^--deadline soon: whole seconds/],
  [['--deadline', '1e3'], /^--deadline 1e3: whole seconds/],
  [['--deadline', '9'], /^--deadline: .*10/],
  [['--deadline', '604801'], /^--deadline: .*604800/],
  [['--idempotency-key', 'two words'], /^--idempotency-key: /],
];
for (const [more, words] of REFUSED) {
  test(`${more.join(' ')} is refused by the name of the option`, () => {
    assert.throws(
      () => wishOf(readArguments([...NEEDED, ...more])),
      (error) => error instanceof Exit && error.code === EXIT.usage && words.test(error.message),
    );
  });
}

test('all that is wrong is told at once', () => {
  const args = readArguments([...NEEDED, '--profile', 'x', '--path', 'y']);
  assert.throws(() => wishOf(args), /--profile: .*; --path y: /);
});

const NO_TARGETS: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /takes one target/],
  [[TARGET, TARGET], /takes one target/],
  [['cart-7f9c'], /is no target: kubernetes:/],
  [['kubernetes://prod/Shop/cart'], /is no target \(namespace: /],
  [['kubernetes://prod/shop'], /is no target \(name a pod or a label selector/],
  [['kubernetes://prod/shop/%zz'], /is no target/],
];
for (const [targets, words] of NO_TARGETS) {
  test(`acquire "${targets.join(' ')}" says which part is no target`, () => {
    assert.throws(
      () => targetOf(readArguments(['acquire', ...targets])),
      (error) => error instanceof Exit && error.code === EXIT.usage && words.test(error.message),
    );
  });
}
