/** What may be set per endpoint beside its URL. Durations in milliseconds. */

export type RetryPreset = 'standard' | 'standard-webhooks' | 'fast';

interface RetryCommon {
  /** Share of the delay, 0..1, by which it may be shorter or longer. Default 0.1. */
  jitter?: number;
  /** Whether 4xx answers other than 408, 410, 425, 429 are retried. Default true. */
  retry_4xx?: boolean;
}

export type RetryPolicy = RetryCommon &
  (
    | { preset: RetryPreset }
    /** Explicit delays before the 2nd, 3rd, … attempt. Empty: one attempt. */
    | { delays_ms: number[] }
    | {
        strategy: 'exponential' | 'linear' | 'fixed';
        base_ms: number;
        factor?: number;
        max_delay_ms?: number;
        /** All attempts, the first included. */
        max_attempts: number;
      }
  );

export interface CircuitPolicy {
  failure_threshold: number;
  cooldown_ms: number;
  disable_after_ms: number;
}

export interface RateLimitPolicy {
  per_second: number;
  burst?: number;
}

export type SignatureScheme = 'v1' | 'v1a';

export interface SignaturePolicy {
  scheme: SignatureScheme;
  /** A second header for receivers that cannot verify Standard Webhooks: an HMAC-SHA256 of the body alone. */
  compat?: { header: string; encoding: 'hex' | 'base64'; prefix?: string };
}

export const DEFAULT_RETRY: RetryPolicy = { preset: 'standard' };
export const DEFAULT_CIRCUIT: CircuitPolicy = {
  failure_threshold: 5,
  cooldown_ms: 600_000,
  disable_after_ms: 432_000_000,
};
export const DEFAULT_SIGNATURE: SignaturePolicy = { scheme: 'v1' };
export const DEFAULT_TIMEOUT_MS = 15_000;
export const DEFAULT_MAX_IN_FLIGHT = 100;
