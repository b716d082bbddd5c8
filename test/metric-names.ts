// SPDX-License-Identifier: Apache-2.0
import { METRICS, type Metric, PROCESS_METRICS } from '@impound/runtime/semantics.ts';

/** What docs/telemetry.md tells of. */
export const ALL_METRICS: readonly Metric[] = [
  ...Object.values(METRICS),
  ...Object.values(PROCESS_METRICS),
];

/** The names that Prometheus knows a metric by. */
export function prometheusNames({ name, kind, unit }: Metric): readonly string[] {
  const words: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };
  const base = name.replaceAll('.', '_') + (words[unit] ?? '');
  if (kind === 'counter') return [`${base}_total`];
  return kind === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => base + end) : [base];
}
