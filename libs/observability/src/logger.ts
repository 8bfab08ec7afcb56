import { pino, type DestinationStream, type Logger } from 'pino';
import { describeError } from './log-errors.js';
import { withoutSecrets } from './log-redaction.js';

export type { Logger };

export interface LoggerOptions {
  /** Which process speaks: `api`, `worker`. */
  name: string;
  level: string;
}

/**
 * Structured JSON logs, one object a line. Fields whose names stand for secrets or payloads are redacted wherever they stand, and of errors
 * only what says what happened is kept.
 * @param destination default: standard output
 */
export function createLogger(options: LoggerOptions, destination?: DestinationStream): Logger {
  const settings = {
    name: options.name,
    level: options.level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: withoutSecrets },
    serializers: { err: describeError },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}
