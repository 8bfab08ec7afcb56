import { pino, type Logger } from 'pino';

export type { Logger };

export interface LoggerOptions {
  /** Which process speaks: `api`, `worker`. */
  name: string;
  level: string;
}

/** Structured JSON logs on standard output, one object a line. Field names that may hold secrets are redacted wherever they stand. */
export function createLogger(options: LoggerOptions): Logger {
  return pino({
    name: options.name,
    level: options.level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: [
        'authorization',
        'secret',
        'password',
        'token',
        'api_key',
        'headers',
        '*.authorization',
        '*.secret',
        '*.password',
        '*.token',
        '*.api_key',
        '*.headers',
      ],
      censor: '[redacted]',
    },
  });
}
