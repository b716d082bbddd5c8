// SPDX-License-Identifier: Apache-2.0
// Loaded before a program: `node --import @impound/telemetry/main.ts services/ledger/src/main.ts`.
// Without an OTEL_ endpoint it loads nothing. Whatever goes wrong here, the program runs.
import { messageOf } from '@impound/runtime/fault.ts';
import { openLog } from '@impound/runtime/log.ts';
import { readSettings } from './settings.ts';

const log = openLog('telemetry', 'warn');
try {
  const settings = readSettings(process.env);
  for (const because of settings.faults) log.warn('setting passed over', { because });
  if (settings.traces || settings.metrics) {
    const { begin } = await import('./begin.ts');
    await begin(settings, log);
  }
} catch (error) {
  log.warn('no telemetry', { because: messageOf(error) });
}
