// SPDX-License-Identifier: Apache-2.0
import {
  type Attributes,
  type Meter,
  type MeterProvider,
  metrics,
  type Observable,
} from '@opentelemetry/api';
import { type Metric, SCOPE_PREFIX } from './semantics.ts';
import { VERSION } from './version.ts';

/** Durations from a fast commit to a collection of hours, in seconds. */
const SECONDS_BOUNDARIES = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200,
];

/** What one service counts and measures; without an SDK it costs next to nothing. */
export interface Measures {
  count(metric: Metric, by?: number, labels?: Attributes): void;
  /** Adds to what goes up and down. */
  move(metric: Metric, by: number, labels?: Attributes): void;
  /** Seconds since `startedAt`, by performance.now(). */
  timed(metric: Metric, startedAt: number, labels?: Attributes): void;
  /** Asked whenever somebody wants to know, until the signal aborts; what fails is left out. */
  watch(seen: readonly Metric[], look: Look, signal: AbortSignal): void;
}

/** Looks, and tells what it sees. */
export type Look = (tell: (metric: Metric, value: number, labels?: Attributes) => void) => unknown;

/** The measures of a service, by its name. */
export function measuresOf(service: string): Measures {
  const known = MEASURES.get(service) ?? newMeasures(service);
  MEASURES.set(service, known);
  return known;
}

const MEASURES = new Map<string, Measures>();

function newMeasures(service: string): Measures {
  const made = instruments(service);
  return {
    count: (metric, by = 1, labels = {}) => made(metric, 'createCounter').add(by, labels),
    move: (metric, by, labels = {}) => made(metric, 'createUpDownCounter').add(by, labels),
    timed: (metric, startedAt, labels = {}) =>
      made(metric, 'createHistogram').record((performance.now() - startedAt) / 1_000, labels),
    watch: (seen, look, signal) =>
      watch(metrics.getMeter(scopeOf(service), VERSION), seen, look, signal),
  };
}

type Maker = 'createCounter' | 'createUpDownCounter' | 'createHistogram';

/** Instruments are made once for each SDK: one that was made before it came stays silent. */
function instruments(service: string) {
  let provider: MeterProvider | undefined;
  let meter: Meter;
  const made = new Map<string, unknown>();
  return <M extends Maker>(metric: Metric, maker: M): ReturnType<Meter[M]> => {
    const current = metrics.getMeterProvider();
    if (provider !== current) {
      provider = current;
      meter = current.getMeter(scopeOf(service), VERSION);
      made.clear();
    }
    const known = made.get(metric.name) ?? meter[maker](metric.name, optionsOf(metric));
    made.set(metric.name, known);
    return known as ReturnType<Meter[M]>;
  };
}

function scopeOf(service: string): string {
  return `${SCOPE_PREFIX}${service}`;
}

function optionsOf({ unit, what, kind }: Metric) {
  const advice = kind === 'histogram' ? { explicitBucketBoundaries: SECONDS_BOUNDARIES } : {};
  return { unit, description: what, advice };
}

function watch(meter: Meter, seen: readonly Metric[], look: Look, signal: AbortSignal): void {
  if (signal.aborted) return;
  const observed = new Map<Metric, Observable>(
    seen.map((metric) => [metric, meter.createObservableGauge(metric.name, optionsOf(metric))]),
  );
  const all = [...observed.values()];
  const callback: Parameters<Meter['addBatchObservableCallback']>[0] = async (result) => {
    const told: [Observable, number, Attributes][] = [];
    const tell = (metric: Metric, value: number, labels: Attributes = {}) => {
      const gauge = observed.get(metric);
      if (gauge !== undefined) told.push([gauge, value, labels]);
    };
    try {
      await look(tell);
    } catch {
      // A gap in a curve says the same and cannot be taken for a number.
      return;
    }
    for (const [gauge, value, labels] of told) result.observe(gauge, value, labels);
  };
  meter.addBatchObservableCallback(callback, all);
  const end = () => meter.removeBatchObservableCallback(callback, all);
  signal.addEventListener('abort', end, { once: true });
}
