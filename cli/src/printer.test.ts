// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, openPrinter } from './printer.ts';

function paper(terminal: boolean, columns = 40) {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  return { stream: { isTTY: terminal, columns, write }, text: () => written.join('') };
}

function printing(options: { json?: boolean; terminal?: boolean } = {}) {
  const [out, err] = [paper(false), paper(options.terminal ?? false)];
  return { printer: openPrinter(options.json ?? false, out.stream, err.stream), out, err };
}

const HOSTILE: readonly (readonly [string, string, string])[] = [
  ['an escape sequence', '\u001b[2Jgone', '\\u001b[2Jgone'],
  ['a newline that would make up a line', 'a\nverified: everything fits', '\\u000averified'],
  ['a carriage return that would overwrite', 'bad\rgood', '\\u000d'],
  ['a C1 control', 'a\u009b31m', '\\u009b'],
  ['a bidirectional override', 'exe.\u202etxt', '\\u202e'],
  ['a line separator', 'a\u2028b', '\\u2028'],
  ['an invisible tag', 'a\u{e0041}b', '\\u{e0041}'],
  ['half of a pair', 'a\ud800b', '\\ud800'],
];
for (const [what, text, spelled] of HOSTILE) {
  test(`${what} in a name is spelled out, wherever it is printed`, () => {
    const { printer, out, err } = printing();
    printer.line(text);
    printer.doing(text);
    assert.ok(out.text().includes(spelled), out.text());
    assert.ok(err.text().includes(spelled), err.text());
    assert.equal(out.text().split('\n').length, 2);
    const json = printing({ json: true });
    json.printer.value('x', { text });
    assert.doesNotMatch(json.out.text().trimEnd(), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    assert.equal(JSON.parse(json.out.text()).text, text);
  });
}

test('the lines that a fault quotes are indented, so that none passes for one of ours', () => {
  const { printer, err } = printing();
  printer.error('initdb failed:\nverified: everything fits\u001b[1m\n');
  assert.equal(err.text(), 'impound: initdb failed:\n    verified: everything fits\\u001b[1m\n');
});

test('with --json only values go out, one object a line, each with its kind', () => {
  const { printer, out } = printing({ json: true });
  printer.line('for people');
  printer.value('bag', { bytes: 3 });
  printer.value('result', { exitCode: 0 });
  assert.equal(out.text(), '{"kind":"bag","bytes":3}\n{"kind":"result","exitCode":0}\n');
});

test('without --json no value goes out', () => {
  const { printer, out } = printing();
  printer.value('bag', { bytes: 3 });
  assert.equal(out.text(), '');
});

test('on a terminal progress is one line within its width, and is gone before the next', () => {
  const { printer, err } = printing({ terminal: true });
  printer.doing('x'.repeat(100));
  printer.line('a result');
  assert.equal(err.text(), `\r\u001b[2K${'x'.repeat(39)}\r\u001b[2K`);
});

test('elsewhere progress is a line each time that it changes', () => {
  const { printer, err } = printing();
  for (const phrase of ['one', 'one', 'two']) printer.doing(phrase);
  assert.equal(err.text(), 'one\ntwo\n');
});

const SIZES: readonly (readonly [number, string])[] = [
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [3_500_000, '3.3 MiB'],
  [Number.MAX_SAFE_INTEGER, '8192.0 TiB'],
];
for (const [bytes, text] of SIZES) {
  test(`${bytes} bytes are ${text}`, () => assert.equal(bytesText(bytes), text));
}
