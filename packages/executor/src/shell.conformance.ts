// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Later, Never } from '@impound/runtime/fault.ts';
import type { Run, Shell, ShellTarget } from './shell.ts';

/** Where the suite runs: opened once, after the tests have begun. */
export interface Conforming {
  readonly shell: Shell;
  /** A running container that has sh, cat, head and sha256sum, and may be written to in /tmp. */
  readonly target: ShellTarget;
}

const RUN_MS_MAX = 60_000;
const BULK_BYTES = 32 * 1_048_576;

/** What every executor's shell must do, said once, and called by each with its own. */
export function shellConformance(name: string, open: () => Promise<Conforming>): void {
  const run = async (argv: readonly string[], work: (run: Run) => Promise<void>) => {
    const { shell, target } = await open();
    await using started = await shell.run(target, argv, AbortSignal.timeout(RUN_MS_MAX));
    await work(started);
  };

  test(`${name}: a command's output comes whole, and it ends with 0`, () =>
    run(['sh', '-c', 'printf "one\\ntwo\\n"'], async (it) => {
      assert.equal((await bytesOf(it)).toString(), 'one\ntwo\n');
      assert.equal(await it.exitCode, 0);
    }));

  for (const code of [1, 3, 126, 127, 137]) {
    test(`${name}: a command that ends with ${code} is reported by that exit code`, () =>
      run(['sh', '-c', `exit ${code}`], async (it) => {
        await bytesOf(it);
        assert.equal(await it.exitCode, code);
      }));
  }

  test(`${name}: what it writes to stderr is kept apart from its output`, () =>
    run(['sh', '-c', 'echo out; echo err >&2'], async (it) => {
      assert.equal((await bytesOf(it)).toString(), 'out\n');
      assert.equal(await it.exitCode, 0);
      assert.equal(it.stderrTail().trim(), 'err');
    }));

  test(`${name}: arguments arrive as they are, without a shell in between`, async () => {
    const odd = ['a b', '$HOME', '*', "it's", 'ünï', '', '--'];
    await run(['sh', '-c', 'for a; do printf "[%s]" "$a"; done', 'sh', ...odd], async (it) => {
      assert.equal((await bytesOf(it)).toString(), odd.map((one) => `[${one}]`).join(''));
      assert.equal(await it.exitCode, 0);
    });
  });

  test(`${name}: a script goes over stdin, and every byte of the output is the same`, async () => {
    const script = `head -c ${BULK_BYTES} /dev/zero | tr '\\0' 'x'; exit 0\n`;
    await run(['sh'], async (it) => {
      await it.stdin.write(Buffer.from(script));
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of it.stdout) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      assert.equal(bytes, BULK_BYTES);
      assert.equal(
        hash.digest('hex'),
        createHash('sha256').update(Buffer.alloc(BULK_BYTES, 'x')).digest('hex'),
      );
      assert.equal(await it.exitCode, 0);
    });
  });

  test(`${name}: binary input arrives as it was sent`, async () => {
    const bytes = randomBytes(30_000);
    await run(['sh', '-c', `head -c ${bytes.length} | sha256sum`], async (it) => {
      await it.stdin.write(bytes);
      const said = (await bytesOf(it)).toString();
      assert.equal(said.slice(0, 64), createHash('sha256').update(bytes).digest('hex'));
    });
  });

  test(`${name}: a program that is not there is a fault, never an exit code`, async () => {
    const { shell, target } = await open();
    const started = shell.run(target, ['/no/such/program'], AbortSignal.timeout(RUN_MS_MAX));
    await assert.rejects(async () => {
      await using it = await started;
      await bytesOf(it);
      await it.exitCode;
    }, isHouseFault);
  });

  test(`${name}: a container that is not there is a fault`, async () => {
    const { shell, target } = await open();
    await assert.rejects(async () => {
      const elsewhere = { ...target, pod: 'there-is-no-such-pod' };
      await using it = await shell.run(elsewhere, ['true'], AbortSignal.timeout(RUN_MS_MAX));
      await bytesOf(it);
      await it.exitCode;
    }, isHouseFault);
  });

  test(`${name}: an abort ends the run at once, and its exit code is not known`, async () => {
    const { shell, target } = await open();
    const abort = new AbortController();
    await using it = await shell.run(target, ['sleep', '30'], abort.signal);
    const ended = assert.rejects(it.exitCode);
    abort.abort();
    await bytesOf(it).catch(() => undefined);
    await ended;
  });
}

/** What a cloud's own client throws goes no further than the adapter. */
function isHouseFault(error: unknown): boolean {
  return error instanceof Never || error instanceof Later;
}

async function bytesOf(run: Run): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of run.stdout) chunks.push(chunk);
  return Buffer.concat(chunks);
}
