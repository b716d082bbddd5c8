// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePolicy } from './policy.ts';
import { ProofFault } from './proof-fault.ts';
import { sigsumVkey } from './sigsum.ts';
import { formatVkey, KEY_TYPES, vkey } from './vkey.ts';

const key = (byte: number) => Buffer.alloc(32, byte);
const LOG = formatVkey(vkey('ledger.example/1', KEY_TYPES.note, key(1)));
const witness = (byte: number) =>
  formatVkey(vkey(`w${byte}.example`, KEY_TYPES.cosignature, key(byte)));

const POLICY = `# who we believe
log ${LOG} https://ledger.example/
\twitness A1 ${witness(2)} https://a1.example/
witness A2 ${witness(3)}
witness B ${witness(4)}

group A any A1 A2
group both all A B
quorum both
`;

test('a policy names logs, witnesses, and whose word is enough', () => {
  const policy = parsePolicy(POLICY);
  assert.deepEqual(
    policy.logs.map(({ vkey: { name }, url }) => [name, url]),
    [['ledger.example/1', 'https://ledger.example/']],
  );
  assert.deepEqual(
    policy.witnesses.map(({ name, vkey: known, url }) => [name, known?.name, url]),
    [
      ['A1', 'w2.example', 'https://a1.example/'],
      ['A2', 'w3.example', undefined],
      ['B', 'w4.example', undefined],
    ],
  );
  assert.equal(policy.quorum, '2 of (1 of (A1, A2), B)');
});

const QUORUMS: readonly (readonly [readonly string[], boolean])[] = [
  [[], false],
  [['A1', 'A2'], false],
  [['B'], false],
  [['A1', 'B'], true],
  [['A2', 'B', 'nobody'], true],
  [['A', 'both'], false],
];
for (const [names, enough] of QUORUMS) {
  test(`cosignatures of ${names.join(', ') || 'nobody'} are ${enough ? '' : 'not '}enough`, () => {
    assert.equal(parsePolicy(POLICY).isQuorum(new Set(names)), enough);
  });
}

test('a policy may need no witness, and says so', () => {
  const policy = parsePolicy(`log ${LOG}\nquorum none\n`);
  assert.equal(policy.isQuorum(new Set()), true);
  assert.equal(policy.quorum, 'none');
});

test('a policy in the form of sigsum has keys in hex', () => {
  const hex = (byte: number) => key(byte).toString('hex');
  const policy = parsePolicy(`log ${hex(1)}\nwitness W ${hex(2)}\nquorum W\n`);
  assert.deepEqual(policy.logs, [{ vkey: sigsumVkey(key(1)) }]);
  assert.deepEqual(policy.witnesses, [{ name: 'W', key: key(2) }]);
});

const MALFORMED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no quorum', POLICY.replace('quorum both', '')],
  ['two quorums', `${POLICY}quorum none\n`],
  ['a quorum that no line defines', POLICY.replace('quorum both', 'quorum others')],
  ['a word that it does not know', `${POLICY}believe me\n`],
  ['a log that signs as a witness', POLICY.replace(LOG, witness(9))],
  ['a witness that signs as a log', POLICY.replace(witness(3), LOG)],
  ['a log twice', `${POLICY}log ${LOG}\n`],
  ['a witness twice', POLICY.replace(witness(3), witness(2))],
  ['one name twice', POLICY.replace('A2 w3', 'A1 w3')],
  ['the name none', POLICY.replace('witness B', 'witness none')],
  ['a member that stands below', POLICY.replace('group A any A1 A2', 'group A any A1 both')],
  ['a member of two groups', POLICY.replace('all A B', 'all A B A1')],
  ['a member twice', POLICY.replace('any A1 A2', 'any A1 A1')],
  ['a group without members', POLICY.replace('any A1 A2', 'any')],
  ['a group of none', POLICY.replace('any A1 A2', '0 A1 A2')],
  ['a group that needs more than it has', POLICY.replace('any A1 A2', '3 A1 A2')],
  ['a group that needs 01', POLICY.replace('any A1 A2', '01 A1 A2')],
  ['none as a member', POLICY.replace('any A1 A2', 'any A1 none')],
  ['a carriage return', POLICY.replace('quorum both', 'quorum both\r')],
  ['a megabyte', `${POLICY}#${'a'.repeat(1_000_000)}\n`],
];
for (const [what, text] of MALFORMED) {
  test(`a policy with ${what} is refused`, () => {
    const isMalformed = (error: unknown) =>
      error instanceof ProofFault && error.code === 'policy-malformed';
    assert.throws(() => parsePolicy(text), isMalformed);
  });
}

test('no words make a policy crash its reader', () => {
  const word = fc.constantFrom('log', 'witness', 'group', 'quorum', 'none', 'any', 'A', '1', LOG);
  const lines = fc.array(fc.array(word, { maxLength: 5 }), { maxLength: 8 });
  fc.assert(
    fc.property(lines, (words) => {
      try {
        parsePolicy(words.map((line) => line.join(' ')).join('\n'));
      } catch (error) {
        assert.ok(error instanceof ProofFault, String(error));
      }
    }),
  );
});
