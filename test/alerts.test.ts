// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EVENTS } from '@impound/contracts/events.ts';
import { parse } from 'yaml';
import { HELP } from '../cli/src/help.ts';
import { ALL_METRICS, prometheusNames } from './metric-names.ts';

const RULES = fileURLToPath(new URL('../deploy/otel/alerts.yaml', import.meta.url));
const CAUSES = fileURLToPath(new URL('../deploy/otel/alerts.test.yaml', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/telemetry.md', import.meta.url));

interface Count {
  readonly record: string;
  readonly expr: string;
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** A test of promtool: which alarms ring at a time. */
interface Cause {
  readonly name: string;
  readonly promql_expr_test: readonly {
    readonly eval_time: string;
    readonly exp_samples?: readonly { readonly labels: string }[];
  }[];
}

const text = await readFile(RULES, 'utf8');
const { groups } = parse(text) as { groups: { name: string; rules: (Rule | Count)[] }[] };
const all = groups.flatMap((group) => group.rules);
const rules = all.filter((one) => 'alert' in one);
const counts = all.filter((one) => 'record' in one);

const known = new Set([
  ...ALL_METRICS.flatMap(prometheusNames),
  ...counts.map(({ record }) => record),
]);

/** Names in an expression: what begins as ours or the conventions' metrics do. */
function namesIn(expr: string): readonly string[] {
  return expr.match(/\b(impound|process|nodejs|http_server)[_:][a-z0-9_:]+/g) ?? [];
}

test('every metric that an alert names exists', () => {
  assert.ok(rules.length > 20, `only ${rules.length} rules`);
  for (const { expr } of all) {
    const named = namesIn(expr);
    assert.ok(named.length > 0, expr);
    for (const name of named) assert.ok(known.has(name), `${expr}: there is no ${name}`);
  }
});

test('a metric that does not exist would be noticed', () => {
  assert.equal(known.has('impound_ledger_untold_seconds'), false);
  assert.deepEqual(namesIn('max(impound_nothing_total) > 1'), ['impound_nothing_total']);
});

test('every type of event that an alert names exists', () => {
  const types = EVENTS.map(({ type }) => type);
  const wanted = rules.flatMap(({ expr }) =>
    [...expr.matchAll(/\btype=(~?)"([^"]+)"/g)].map(([, like, type = '']) => ({ like, type })),
  );
  assert.ok(wanted.length > 5);
  for (const { like, type } of wanted) {
    const pattern = new RegExp(`^(${like === '~' ? type.replaceAll('\\\\', '\\') : type})$`);
    assert.ok(
      types.some((one) => pattern.test(one)),
      type,
    );
  }
});

test('every alert has a severity, and says what happened and what to do', () => {
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(warning|critical)$/);
    assert.ok(annotations.summary.length > 10, alert);
    assert.match(annotations.description, /^[A-Zi].{15,}\.$/, alert);
  }
});

test('every command that an alert names is one', () => {
  const named = rules.flatMap(({ annotations }) => [
    ...annotations.description.matchAll(/\bimpound (\w+)/g),
  ]);
  assert.ok(named.length > 10);
  for (const [, command = ''] of named) {
    assert.match(HELP, new RegExp(`^ +impound .*\\b${command}\\b`, 'm'));
  }
});

test('every alarm is brought about, and its cause taken away again', async () => {
  const { tests } = parse(await readFile(CAUSES, 'utf8')) as { tests: readonly Cause[] };
  const proven = tests.flatMap(({ promql_expr_test: looks }) =>
    looks.flatMap(({ exp_samples: ringing = [] }, at) =>
      ringing
        .map(({ labels }) => labels)
        .filter((one) =>
          looks.slice(at + 1).some(({ exp_samples: later = [] }) => {
            return !later.some(({ labels }) => labels === one);
          }),
        ),
    ),
  );
  for (const { alert } of rules) assert.ok(proven.includes(`{alertname="${alert}"}`), alert);
});

test('the page names every metric', async () => {
  const page = await readFile(PAGE, 'utf8');
  for (const { name } of ALL_METRICS) assert.ok(page.includes(`\`${name}\``), name);
});

const { error } = spawnSync('promtool', ['--version']);
const skip =
  error === undefined ? {} : { skip: 'there is no promtool: tools/servers.sh fetches it' };
for (const [what, ...args] of [
  ['takes the rules', 'check', 'rules', RULES],
  ['finds them to go off by their causes, and silent otherwise', 'test', 'rules', CAUSES],
] as const) {
  test(`promtool ${what}`, skip, () => {
    const { status, stdout, stderr } = spawnSync('promtool', args);
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
}
