import {
  DEFAULT_CIRCUIT,
  DEFAULT_JITTER,
  LANES,
  MAX_CIRCUIT_COOLDOWN_MS,
  MAX_CIRCUIT_DISABLE_AFTER_MS,
  MAX_CIRCUIT_FAILURE_THRESHOLD,
  MAX_MAX_IN_FLIGHT,
  MAX_RATE_BURST,
  MAX_RATE_PER_SECOND,
  MAX_RETRY_ATTEMPTS,
  MAX_RETRY_DELAY_MS,
  MAX_RETRY_DELAYS,
  MAX_RETRY_FACTOR,
  MAX_TIMEOUT_MS,
  MIN_MAX_IN_FLIGHT,
  MIN_RATE_PER_SECOND,
  MIN_RETRY_FACTOR,
  MIN_TIMEOUT_MS,
  parsePayloadPath,
  PAYLOAD_PATH_RULE,
} from '@hookstream/domain';
import { z } from 'zod';
import { isForbiddenHeader, isHeaderName } from './header-rules.js';

const delayMs = z.int().min(0).max(MAX_RETRY_DELAY_MS);
const jitter = z
  .number()
  .min(0)
  .max(1)
  .optional()
  .meta({ description: `Share by which a delay may be shorter or longer. Default ${DEFAULT_JITTER}.` });
const retry4xx = z
  .boolean()
  .optional()
  .meta({ description: 'Whether 4xx answers other than 408, 410, 425 and 429 are retried. Default true.' });

export const RetryPolicySchema = z
  .union([
    z.strictObject({
      preset: z.enum(['standard', 'standard-webhooks', 'fast']),
      jitter,
      retry_4xx: retry4xx,
    }),
    z.strictObject({
      delays_ms: z
        .array(delayMs)
        .max(MAX_RETRY_DELAYS)
        .meta({ description: 'Delays before the 2nd, 3rd, … attempt, in ms. Empty: one attempt.' }),
      jitter,
      retry_4xx: retry4xx,
    }),
    z.strictObject({
      strategy: z.enum(['exponential', 'linear', 'fixed']),
      base_ms: delayMs,
      factor: z.number().min(MIN_RETRY_FACTOR).max(MAX_RETRY_FACTOR).optional(),
      max_delay_ms: delayMs.optional(),
      max_attempts: z.int().min(1).max(MAX_RETRY_ATTEMPTS),
      jitter,
      retry_4xx: retry4xx,
    }),
  ])
  .meta({
    id: 'RetryPolicy',
    description:
      'When to try again: a preset, explicit delays, or a strategy. `standard` waits 30 s, 5 min, 30 min and 2 h.',
    examples: [{ preset: 'standard' }, { delays_ms: [30000, 300000], jitter: 0 }],
  });

export const RateLimitSchema = z
  .strictObject({
    per_second: z.number().min(MIN_RATE_PER_SECOND).max(MAX_RATE_PER_SECOND),
    burst: z.int().min(1).max(MAX_RATE_BURST).optional(),
  })
  .meta({ id: 'RateLimit', examples: [{ per_second: 10, burst: 20 }] });

export const CircuitPolicySchema = z
  .strictObject({
    failure_threshold: z
      .int()
      .min(0)
      .max(MAX_CIRCUIT_FAILURE_THRESHOLD)
      .default(DEFAULT_CIRCUIT.failure_threshold)
      .meta({ description: 'Failures in a row that open it; 0 switches it off.' }),
    cooldown_ms: z.int().min(1_000).max(MAX_CIRCUIT_COOLDOWN_MS).default(DEFAULT_CIRCUIT.cooldown_ms),
    disable_after_ms: z
      .int()
      .min(60_000)
      .max(MAX_CIRCUIT_DISABLE_AFTER_MS)
      .default(DEFAULT_CIRCUIT.disable_after_ms),
  })
  .meta({ id: 'CircuitPolicy', examples: [DEFAULT_CIRCUIT] });

export const SignaturePolicySchema = z
  .strictObject({
    scheme: z.enum(['v1', 'v1a']).default('v1').meta({
      description:
        '`v1`: HMAC-SHA256 with a shared secret. `v1a`: ed25519. A change takes effect with the next rotate-secret.',
    }),
    compat: z
      .strictObject({
        header: z
          .string()
          .max(100)
          .refine(
            (name) => isHeaderName(name) && !isForbiddenHeader(name),
            'must be a header name that is free',
          ),
        encoding: z.enum(['hex', 'base64']),
        prefix: z
          .string()
          .max(32)
          .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII')
          .optional(),
      })
      .optional()
      .meta({ description: 'A second header with the HMAC-SHA256 of the body alone.' }),
  })
  .meta({
    id: 'SignaturePolicy',
    examples: [
      { scheme: 'v1', compat: { header: 'X-Hookstream-Signature', encoding: 'hex', prefix: 'sha256=' } },
    ],
  });

export const laneSchema = z
  .enum(LANES)
  .meta({ description: 'How deliveries are to run. The `lane` of a delivery says how it ran.' });
export const timeoutSchema = z
  .int()
  .min(MIN_TIMEOUT_MS)
  .max(MAX_TIMEOUT_MS)
  .meta({ description: 'Longest time one attempt may take, in ms.' });
export const maxInFlightSchema = z
  .int()
  .min(MIN_MAX_IN_FLIGHT)
  .max(MAX_MAX_IN_FLIGHT)
  .meta({ description: 'Most attempts under way at once.' });
export const orderedSchema = z.boolean().meta({
  description:
    'Deliver in the order of acceptance: the next goes when the one before has succeeded, is a dead letter or is cancelled. Holds for events accepted from then on; `false` lets everything go that waited for its turn.',
});
export const orderKeySchema = z
  .string()
  .refine((path) => parsePayloadPath(path) !== null, `must be ${PAYLOAD_PATH_RULE}`)
  .meta({
    description:
      'With `ordered`: keep the order only among events with the same value at this path; other values go on in parallel. Null: one order for all.',
    examples: ['data.customer_id'],
  });
