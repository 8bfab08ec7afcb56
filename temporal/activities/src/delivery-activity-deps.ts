import type { AttemptOutcome } from '@hookstream/domain';
import type { AttemptsRepository } from '@hookstream/persistence';
import type { DeliveryMetrics, Logger, Tracing } from '@hookstream/observability';
import type { WebhookSigner } from '@hookstream/signing';
import type { AttemptRecorder } from './attempt-recorder.js';
import type { AttemptReporter } from './attempt-report.js';

/** The ways out of this process that a delivery needs, each replaceable in a test. */
export interface DeliveryActivityDeps {
  attempts: Pick<AttemptsRepository, 'begin' | 'find' | 'handBack' | 'giveBackSlot' | 'cancel'>;
  recorder: Pick<AttemptRecorder, 'record'>;
  egress: MessageSender;
  /** Decrypts what the database stores of an endpoint. @throws DomainError `decryption_failed` */
  decrypt: (ciphertext: Buffer, endpointId: string) => string;
  signer: Pick<WebhookSigner, 'headers' | 'keysOf'>;
  /** Learns what attempts come to, test and verification ones aside. */
  circuits: AttemptReporter;
  logger: Logger;
  /** Absent: nobody measures. */
  metrics?: Pick<DeliveryMetrics, 'onAttempt'>;
  /** Absent: no traces. */
  tracing?: Pick<Tracing, 'samples' | 'onAttempt'>;
  /** Of ourselves, as `Hookstream/1.2.3`. */
  userAgent: string;
  /** Longest postponement a `Retry-After` can ask for, in milliseconds. */
  retryAfterCapMs: number;
  /** Unix milliseconds. */
  now: () => number;
  /** A number in [0, 1); for the jitter. */
  random: () => number;
}

/** What an attempt needs, its delivery's reading and its record aside. */
export type AttemptDeps = Omit<DeliveryActivityDeps, 'attempts' | 'recorder'>;

export interface OutgoingMessage {
  url: string;
  /** The endpoint's id. */
  owner: string;
  headers: Record<string, string>;
  body: Buffer;
  /** Bounds the whole attempt, in milliseconds. */
  timeoutMs: number;
  /** Aborting throws; it is not an outcome. */
  signal?: AbortSignal;
}

export interface MessageSender {
  /** @throws only for faults of our own side, which are not the endpoint's and not recorded. */
  send(message: OutgoingMessage): Promise<AttemptOutcome>;
}
