// SPDX-License-Identifier: Apache-2.0
// A program that works in spans and counts, shows what Prometheus would get, and ends.
import { measuresOf } from '@impound/runtime/metrics.ts';
import { METRICS } from '@impound/runtime/semantics.ts';
import { activeSpan, spanned } from '@impound/runtime/span.ts';
import { SpanKind } from '@opentelemetry/api';

for (const service of ['ledger', 'gateway']) {
  await spanned({ service, name: `work of ${service}`, kind: SpanKind.INTERNAL }, async () => {
    measuresOf(service).count(METRICS.unanswered);
    if (activeSpan() !== undefined) process.stdout.write('recording\n');
  });
}
const [, , port] = process.argv;
if (port !== undefined) {
  const answer = await fetch(`http://localhost:${port}/metrics`);
  process.stdout.write(await answer.text());
}
process.exitCode = 7;
