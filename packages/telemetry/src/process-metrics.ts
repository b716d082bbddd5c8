// SPDX-License-Identifier: Apache-2.0
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PROCESS, PROCESS_METRICS } from '@impound/runtime/semantics.ts';
import { metrics } from '@opentelemetry/api';

const RESOLUTION_MS = 20;
const NANOSECONDS = 1_000_000_000;
const MICROSECONDS = 1_000_000;

/** What a process costs, and whether its event loop keeps up. */
export function watchProcess(): void {
  const meter = metrics.getMeter(PROCESS);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const { memory, cpu, lag, up } = PROCESS_METRICS;
  const options = ({ unit, what }: { unit: string; what: string }) => ({ unit, description: what });
  const memories = meter.createObservableUpDownCounter(memory.name, options(memory));
  memories.addCallback((seen) => seen.observe(process.memoryUsage.rss()));
  const cpus = meter.createObservableCounter(cpu.name, options(cpu));
  cpus.addCallback((seen) => {
    const { user, system } = process.cpuUsage();
    seen.observe(user / MICROSECONDS, { 'cpu.mode': 'user' });
    seen.observe(system / MICROSECONDS, { 'cpu.mode': 'system' });
  });
  const lags = meter.createObservableGauge(lag.name, options(lag));
  lags.addCallback((seen) => {
    seen.observe(delay.percentile(99) / NANOSECONDS);
    delay.reset();
  });
  const ups = meter.createObservableGauge(up.name, options(up));
  ups.addCallback((seen) => seen.observe(process.uptime()));
}
