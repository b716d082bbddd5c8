// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import jsonld from 'jsonld';
import { Parser, Store } from 'n3';
import Validator from 'rdf-validate-shacl';
import { accountOf } from '../src/account.ts';
import { type CaseDocument, caseDocument } from '../src/case-uco.ts';
import { chain, chainNames } from './chains.ts';

const SHAPES = new URL('case-uco-1.4.0.ttl', import.meta.url);

/** What an independent SHACL processor finds in the RDF that a document stands for. */
async function findings(document: object): Promise<string[]> {
  const ontology = new Parser().parse(await readFile(SHAPES, 'utf8'));
  const quads = await jsonld.toRDF(document, { format: 'application/n-quads' });
  const data = new Parser({ format: 'N-Quads' }).parse(String(quads));
  assert.ok(data.length > 20, 'the document stands for hardly anything');
  const classes = ontology.filter(({ predicate }) => predicate.value.endsWith('subClassOf'));
  const validator = new Validator(new Store(ontology) as never);
  const report = validator.validate(new Store([...data, ...classes]) as never);
  const { results } = await report;
  return results.map(({ focusNode, path, message }) =>
    [focusNode?.value, path?.value, ...message.map(({ value }) => value)].join(' '),
  );
}

const documentOf = async (name: string) => caseDocument(accountOf(await chain(name)));

test('the export of every way an acquisition can end is valid CASE/UCO', async () => {
  for (const name of await chainNames()) {
    assert.deepEqual(await findings(await documentOf(name)), [], name);
  }
});

test('the shapes find what CASE/UCO does not allow', async () => {
  const good = JSON.stringify(await documentOf('sealed.json'));
  const lies: [string, string, RegExp][] = [
    ['"xsd:hexBinary"', '"xsd:string"', /hashValue/],
    ['"xsd:dateTime"', '"xsd:string"', /(startTime|objectCreatedTime)/],
    ['"types:hashMethod":"SHA256",', '', /hashMethod/],
    ['"action:performer"', '"action:actor"', /action\/actor/],
    ['"observable:sizeInBytes":1234', '"observable:sizeInBytes":"1234"', /sizeInBytes/],
  ];
  for (const [truth, lie, found] of lies) {
    assert.ok(good.includes(truth), truth);
    const bad = JSON.parse(good.replaceAll(truth, lie));
    assert.match((await findings(bad)).join('\n'), found, lie);
  }
});

test('every entry is an action informed by the one before, and carries its leaf hash', async () => {
  const entries = await chain('sealed.json');
  const graph = caseDocument(accountOf(entries))['@graph'];
  const actions = graph.filter((node) => node['@type'] === 'investigation:InvestigativeAction');
  assert.deepEqual(
    actions.map((node) => (node['core:externalReference'] as never)['core:externalIdentifier']),
    entries.map(({ leaf }) => leaf),
  );
  assert.deepEqual(
    actions.map((node) => (node['investigation:wasInformedBy'] as never)?.['@id']),
    [undefined, ...actions.slice(0, -1).map((node) => node['@id'])],
  );
});

test('every exhibit is a file with its digest and a record with its number', async () => {
  const account = accountOf(await chain('sealed.json'));
  assert.ok(account.exhibits.length > 0);
  const text = JSON.stringify(caseDocument(account));
  for (const { number, sha256, name } of account.exhibits) {
    assert.ok(text.includes(`"investigation:exhibitNumber":"${number}"`), number);
    assert.ok(text.includes(sha256.toUpperCase()), name);
  }
});

test('the same chain gives the same document', async () => {
  const twice: CaseDocument[] = [await documentOf('sealed.json'), await documentOf('sealed.json')];
  assert.deepEqual(twice[0], twice[1]);
});
