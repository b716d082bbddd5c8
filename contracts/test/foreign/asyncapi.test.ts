// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parser } from '@asyncapi/parser';
import { artifacts } from '../../generate/artifacts.ts';

test('the AsyncAPI document is valid AsyncAPI 3.0', async () => {
  const text = (await artifacts()).get('asyncapi.yaml') ?? '';
  const source = new URL('../../schemas/asyncapi.yaml', import.meta.url).pathname;
  const { document, diagnostics } = await new Parser().parse(text, { source });
  const errors = diagnostics.filter((one) => one.severity === 0);
  assert.deepEqual(
    errors.map((one) => one.message),
    [],
  );
  assert.ok(document !== undefined);
});
