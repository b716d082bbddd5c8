// SPDX-License-Identifier: Apache-2.0

/** What a process gets from outside: names and texts. */
type Environment = Readonly<Record<string, string | undefined>>;

/** How OTLP is spoken; gRPC is left to a collector. */
export type Protocol = 'http/protobuf' | 'http/json';

/** What the OTEL_ variables ask for, as far as it is done here. */
export interface Settings {
  /** Undefined: no spans. */
  readonly traces: { readonly protocol: Protocol; readonly sampler: SamplerSetting } | undefined;
  /** Undefined: no metrics. */
  readonly metrics: MetricsSetting | undefined;
  /** Milliseconds that one export may take; undefined where the environment says it. */
  readonly exportMsMax: number | undefined;
  readonly batch: BatchSetting;
  /** True where OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES name the service. */
  readonly named: boolean;
  /** What was not understood, by name. */
  readonly faults: readonly string[];
}

export interface SamplerSetting {
  readonly kind: 'always_on' | 'always_off' | 'traceidratio';
  readonly ratio: number;
}

export interface MetricsSetting {
  readonly otlp: { readonly protocol: Protocol; readonly everyMs: number } | undefined;
  readonly prometheus: { readonly host: string; readonly port: number } | undefined;
}

/** OTEL_BSP_*: how spans are gathered before they are sent. */
export interface BatchSetting {
  readonly scheduledDelayMillis: number;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly exportTimeoutMillis: number;
}

/** Shorter than the standard's 10 s: an export that hangs must not hold a process that ends. */
const EXPORT_MS_MAX = 3_000;
const PROMETHEUS_PORT = 9_464;
const EVERY_MS = 60_000;

/** Reads the standard variables; what is not understood is passed over and told, never thrown. */
export function readSettings(environment: Environment): Settings {
  const it = reader(environment);
  const off = it.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const sampler = samplerOf(it);
  const traces = !off && it.wanted('TRACES').includes('otlp') && it.endpoint('TRACES');
  return {
    traces: traces ? { protocol: it.protocol('TRACES'), sampler } : undefined,
    metrics: off ? undefined : metricsOf(it),
    exportMsMax: it.text('OTEL_EXPORTER_OTLP_TIMEOUT') === undefined ? EXPORT_MS_MAX : undefined,
    batch: {
      scheduledDelayMillis: it.number('OTEL_BSP_SCHEDULE_DELAY', 5_000),
      maxQueueSize: it.number('OTEL_BSP_MAX_QUEUE_SIZE', 2_048),
      maxExportBatchSize: it.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512),
      exportTimeoutMillis: it.number('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
    },
    named:
      it.text('OTEL_SERVICE_NAME') !== undefined ||
      /(^|,)\s*service\.name\s*=/.test(it.text('OTEL_RESOURCE_ATTRIBUTES') ?? ''),
    faults: it.faults,
  };
}

function metricsOf(it: Reader): MetricsSetting | undefined {
  const wanted = it.wanted('METRICS');
  const everyMs = it.number('OTEL_METRIC_EXPORT_INTERVAL', EVERY_MS);
  const otlp =
    wanted.includes('otlp') && it.endpoint('METRICS')
      ? { protocol: it.protocol('METRICS'), everyMs }
      : undefined;
  const prometheus = wanted.includes('prometheus')
    ? {
        host: it.text('OTEL_EXPORTER_PROMETHEUS_HOST') ?? 'localhost',
        port: it.number('OTEL_EXPORTER_PROMETHEUS_PORT', PROMETHEUS_PORT),
      }
    : undefined;
  return otlp || prometheus ? { otlp, prometheus } : undefined;
}

function samplerOf(it: Reader): SamplerSetting {
  const name = (it.text('OTEL_TRACES_SAMPLER') ?? 'always_on').replace(/^parentbased_/, '');
  const ratio = Number(it.text('OTEL_TRACES_SAMPLER_ARG') ?? '1');
  const sound = Number.isFinite(ratio) && ratio >= 0 && ratio <= 1;
  if (!sound) it.faults.push('OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1');
  if (name === 'always_on' || name === 'always_off') return { kind: name, ratio: 1 };
  if (name === 'traceidratio') return { kind: name, ratio: sound ? ratio : 1 };
  it.faults.push('OTEL_TRACES_SAMPLER is none of always_on, always_off, traceidratio');
  return { kind: 'always_on', ratio: 1 };
}

type Signal = 'TRACES' | 'METRICS';
type Reader = ReturnType<typeof reader>;

/** Faults name variables and never values: an endpoint may hold a password. */
function reader(environment: Environment) {
  const faults: string[] = [];
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const endpoint = (signal: Signal): boolean => {
    const own = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`;
    const name = text(own) === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : own;
    const given = text(name);
    if (given === undefined) return false;
    if (URL.canParse(given) && /^https?:/i.test(given)) return true;
    faults.push(`${name} is no http or https URL`);
    return false;
  };
  const protocol = (signal: Signal): Protocol => {
    const name = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
    const given = text(name) ?? text('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf';
    if (given === 'http/protobuf' || given === 'http/json') return given;
    faults.push(
      'OTEL_EXPORTER_OTLP_PROTOCOL is neither http/protobuf, which is used, nor http/json',
    );
    return 'http/protobuf';
  };
  const wanted = (signal: Signal): string[] => {
    const names = (text(`OTEL_${signal}_EXPORTER`) ?? 'otlp').split(',').map((one) => one.trim());
    const known = signal === 'METRICS' ? ['otlp', 'prometheus', 'none'] : ['otlp', 'none'];
    if (names.some((one) => !known.includes(one))) {
      faults.push(`OTEL_${signal}_EXPORTER names something else than ${known.join(', ')}`);
    }
    return names.includes('none') ? [] : names;
  };
  const number = (name: string, otherwise: number): number => {
    const given = text(name);
    if (given === undefined) return otherwise;
    if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
    faults.push(`${name} is no positive whole number`);
    return otherwise;
  };
  return { faults, text, endpoint, protocol, wanted, number };
}
