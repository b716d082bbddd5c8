// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { EvidenceCapturedV1 } from '@impound/contracts/evidence/captured.v1.ts';
import { ExecutionFailedV1 } from '@impound/contracts/execution/failed.v1.ts';
import { timeOf } from '@impound/contracts/time.ts';
import { shellConformance } from '@impound/executor/shell.conformance.ts';
import type { Shell } from '@impound/executor/shell.ts';
import { type DebuggerTerms, debuggerShell } from '@impound/kubernetes/debugger/shell.ts';
import { newId } from '@impound/runtime/ids.ts';
import {
  ABSENT_IMAGE,
  assignment,
  CLUSTER,
  collectFrom,
  debuggersOf,
  filesBelow,
  filesIn,
  openLab,
  processesBeside,
  TERMS,
  type Where,
} from './beside.ts';

const scope = new AsyncDisposableStack();
after(() => scope.disposeAsync());
const opened = openLab(scope);

const PAYMENTS = {
  namespace: 'shop',
  pod: 'payments-84c5d7f6b-d1str',
  container: 'payments',
};
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const MIGHTY = { namespace: 'free', pod: 'mighty', container: 'app' };
const STALLED_MS_MAX = 20_000;
const TRACING = { ...TERMS, ptraceAllowed: true };

async function capture(where: Where, terms: DebuggerTerms = TERMS, more: object = {}) {
  const { clusters } = await opened;
  const { said, sink } = await collectFrom(clusters, assignment(where, more), terms);
  assert.equal(said.contract, EvidenceCapturedV1, JSON.stringify(said.data));
  const data = EvidenceCapturedV1.shape.parse(said.data);
  return { data, files: await filesIn(sink), debuggers: await debuggersOf(clusters, where) };
}

async function refusal(where: Where, terms: DebuggerTerms = TERMS) {
  const { clusters } = await opened;
  const { said } = await collectFrom(clusters, assignment(where), terms);
  assert.equal(said.contract, ExecutionFailedV1);
  const data = ExecutionFailedV1.shape.parse(said.data);
  return { ...data, debuggers: await debuggersOf(clusters, where) };
}

test('a distroless container is collected byte for byte, from beside it', async () => {
  const { lab } = await opened;
  const more = { profile: 'full', paths: ['/proc/1/cmdline'] };
  const { data, files, debuggers } = await capture(PAYMENTS, TERMS, more);
  const { namespace, pod, container } = PAYMENTS;
  const real = await filesBelow(lab.filesOf(namespace, pod, container));
  assert.ok(real.delete(TOKEN), 'a token is there, and its signature never leaves');
  assert.ok(real.size > 3, 'there is something to collect');
  for (const [path, bytes] of real) {
    assert.ok(files.get(path)?.equals(bytes), `${path} is there and the same`);
  }
  const own = [...files.keys()].filter((path) => !path.startsWith('/proc/'));
  assert.deepEqual(own.toSorted(), [...real.keys()].toSorted(), 'and nothing of the debugger');
  assert.equal(data.partial, false);
  assert.equal(data.method, 'ephemeral-container');
  const [only, ...others] = debuggers;
  assert.deepEqual(others, [], 'exactly one ephemeral container in the spec');
  assert.equal(only?.state.kind, 'terminated');
  assert.equal(await processesBeside(lab, PAYMENTS), 0, 'nothing is left running, or unburied');
  const [added, ran] = data.footprint.notes;
  assert.equal(
    added,
    `pod spec changed: ephemeral container ${only?.name} with image ${TERMS.image} was added and ` +
      'stays in the spec',
  );
  assert.match(ran ?? '', /^it ran image sha256:[0-9a-f]{64} as root with default capabilities$/);
});

test('the root of a container is a path like any other, seen from beside it', async () => {
  const where = { namespace: 'free', pod: 'rooted', container: 'app' };
  const { files } = await capture(where, TERMS, { profile: 'volatile', paths: ['/'] });
  assert.equal(files.get('/app/secret.txt')?.toString(), 'of rooted\n');
  assert.ok(files.has('/etc/passwd'));
});

const READ = [
  { what: 'a user who is not root', namespace: 'free', pod: 'nonroot', terms: TERMS, tries: 1 },
  {
    what: 'a user under Pod Security level restricted',
    namespace: 'strict',
    pod: 'nonroot',
    terms: TERMS,
    tries: 1,
  },
  {
    what: 'a user whom only the image knows: the first try shows who it is',
    namespace: 'free',
    pod: 'image-user',
    terms: TERMS,
    tries: 2,
  },
  {
    what: 'a user whom only the image knows, where SYS_PTRACE is allowed',
    namespace: 'free',
    pod: 'image-user',
    terms: TRACING,
    tries: 1,
  },
  {
    what: 'a privileged one, where SYS_PTRACE is allowed',
    namespace: 'free',
    pod: 'mighty',
    terms: TRACING,
    tries: 1,
  },
];

for (const { what, namespace, pod, terms, tries } of READ) {
  test(`a container is read that runs as ${what}`, async () => {
    const { lab, clusters } = await opened;
    const where = { namespace, pod, container: 'app' };
    const before = (await debuggersOf(clusters, where)).length;
    const { files, debuggers } = await capture(where, terms);
    assert.equal(files.get('/app/secret.txt')?.toString(), `of ${pod}\n`);
    assert.equal(debuggers.length - before, tries);
    assert.ok(debuggers.every((one) => one.state.kind === 'terminated'));
    assert.equal(await processesBeside(lab, where), 0);
  });
}

test('a privileged container is not touched where SYS_PTRACE is not allowed', async () => {
  const { clusters } = await opened;
  const before = await debuggersOf(clusters, MIGHTY);
  const failed = await refusal(MIGHTY);
  assert.equal(failed.code, 'ptrace-not-allowed');
  assert.match(failed.because, /EPHEMERAL_PTRACE=true/);
  assert.deepEqual([failed.permanent, failed.footprint.touched], [true, false]);
  assert.deepEqual(failed.debuggers, before);
});

test('what Pod Security refuses is found out before the pod is changed', async () => {
  const { lab } = await opened;
  const from = lab.audit.length;
  const failed = await refusal({ namespace: 'strict', pod: 'rooted', container: 'app' });
  assert.equal(failed.code, 'pod-security-denied');
  assert.match(failed.because, /runAsNonRoot != true/);
  assert.deepEqual([failed.permanent, failed.footprint.touched], [true, false]);
  assert.deepEqual(failed.debuggers, []);
  const patches = lab.audit.slice(from).filter((one) => one.method === 'PATCH');
  assert.ok(patches.every((one) => one.path.includes('dryRun=All')));
});

test('without an image nothing is tried, and the setting is named', async () => {
  const where = { namespace: 'free', pod: 'rooted', container: 'app' };
  const failed = await refusal(where, { ...TERMS, image: undefined });
  assert.equal(failed.code, 'ephemeral-image-missing');
  assert.match(failed.because, /EPHEMERAL_IMAGE/);
  assert.deepEqual([failed.permanent, failed.footprint.touched], [true, false]);
});

test('an image that never comes fails for good, and what stays in the pod is on record', async () => {
  const where = { namespace: 'free', pod: 'rooted', container: 'app' };
  const failed = await refusal(where, { ...TERMS, image: ABSENT_IMAGE });
  assert.equal(failed.code, 'ephemeral-start-failed');
  assert.match(failed.because, /ErrImagePull/);
  assert.deepEqual([failed.permanent, failed.footprint.touched], [true, true]);
  const [only] = failed.debuggers.filter((one) => one.image === ABSENT_IMAGE);
  assert.equal(only?.state.kind, 'waiting');
  assert.match(failed.footprint.notes[0] ?? '', new RegExp(`${only?.name} .*stays in the spec`));
  assert.match(failed.footprint.notes[1] ?? '', /it did not start; if it ever does, it ends by/);
});

test('a target that ends meanwhile is a failure, and nothing is left of the debugger', async () => {
  const { lab, clusters } = await opened;
  const where = { namespace: 'free', pod: 'nonroot', container: 'app' };
  using stall = lab.inject({ kind: 'stall', afterBytes: 100, path: /command=sh&stdin/ });
  // What stalls is waited for until the deadline: long enough to come that far on a busy machine.
  const deadline = timeOf(Date.now() + STALLED_MS_MAX);
  const collecting = collectFrom(clusters, assignment(where, { deadline }));
  while (stall.hits === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  await lab.killContainer('free', 'nonroot', 'app');
  const { said } = await collecting;
  assert.equal(said.contract, ExecutionFailedV1);
  assert.equal(said.data.footprint.touched, true);
  assert.ok(said.data.footprint.notes.some((note) => note.includes('stays in the spec')));
});

/** A new attempt, and thus a new ephemeral container, for each run. */
function everyTimeNew(): Shell {
  return {
    run: async (...[target, argv, signal]) => {
      const { clusters } = await opened;
      const attempt = { name: `impound-${newId()}-e1`, msMax: 60_000 };
      return await debuggerShell(clusters, TERMS, attempt).run(target, argv, signal);
    },
  };
}

shellConformance('ephemeral container', async () => ({
  shell: everyTimeNew(),
  target: { cluster: CLUSTER, ...PAYMENTS },
}));
