// SPDX-License-Identifier: Apache-2.0
import { type DestinationStream, pino } from 'pino';
import { redacted } from './redact.ts';
import { spanFields } from './span.ts';

/** A constant phrase plus fields: no evidence, no bodies, no secrets. */
export interface Log {
  debug(phrase: string, fields?: object): void;
  info(phrase: string, fields?: object): void;
  warn(phrase: string, fields?: object): void;
  error(phrase: string, fields?: object): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** JSON lines on standard error, or where the caller wants them; each names its span, if any. */
export function openLog(
  service: string,
  level: LogLevel,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  const formatters = { log: (fields: object) => redacted(fields) as Record<string, unknown> };
  const options = { level, base: { service }, mixin: spanFields, formatters };
  const logger = pino(options, destination);
  return {
    debug: (phrase, fields = {}) => logger.debug(fields, phrase),
    info: (phrase, fields = {}) => logger.info(fields, phrase),
    warn: (phrase, fields = {}) => logger.warn(fields, phrase),
    error: (phrase, fields = {}) => logger.error(fields, phrase),
  };
}
