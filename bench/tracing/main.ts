// SPDX-License-Identifier: Apache-2.0
// `npm run bench -- tracing [ROUNDS]`: what telemetry costs. Says a second through a real ledger on
// a real Postgres and bus, without the module and with it (every span sent to a receiver), in turns
// and in processes of their own; and what one say costs in the code that traces it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const TELEMETRY = fileURLToPath(new URL('../../packages/telemetry/src/main.ts', import.meta.url));
const SAYS = fileURLToPath(new URL('says.ts', import.meta.url));
const ROUNDS = Number(process.argv[2] ?? 3);

interface Figures {
  readonly saysPerSecond: number;
  /** Microseconds of the processor for one say, from its speaker to its hearers' stream. */
  readonly cpuPerSay: number;
  /** Those of the code around a say that traces it, without the say. */
  readonly cpuOfTracing: number;
}

/** Takes everything and keeps nothing; counts what came. */
async function openSink() {
  const sink = { bytes: 0, url: '' };
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      sink.bytes += chunk.length;
    });
    request.on('end', () => response.writeHead(200).end());
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  sink.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return sink;
}

async function run(args: readonly string[], more: Record<string, string>): Promise<Figures> {
  const child = spawn(process.execPath, [...args, SAYS], {
    env: { ...process.env, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error(`it ended with ${code}`);
  return JSON.parse(out) as Figures;
}

function median(of: readonly Figures[], key: keyof Figures): number {
  const values = of.map((one) => one[key]).toSorted((a, b) => a - b);
  return values[Math.floor(values.length / 2)] ?? 0;
}

const sink = await openSink();
const off: Figures[] = [];
const on: Figures[] = [];
for (let round = 0; round < ROUNDS; round++) {
  off.push(await run([], {}));
  on.push(await run(['--import', TELEMETRY], { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url }));
}
const line = (name: string, of: readonly Figures[]) =>
  `${name.padEnd(4)} ${median(of, 'saysPerSecond').toFixed(0).padStart(6)} says/s, ` +
  `${median(of, 'cpuPerSay').toFixed(0)} µs of CPU each, of which the code that traces the say ` +
  `takes ${median(of, 'cpuOfTracing').toFixed(2)}\n`;
process.stdout.write(line('off', off) + line('on', on));
const ratio = median(on, 'saysPerSecond') / median(off, 'saysPerSecond');
process.stdout.write(`on/off ${ratio.toFixed(3)}, ${sink.bytes} bytes of telemetry received\n`);
