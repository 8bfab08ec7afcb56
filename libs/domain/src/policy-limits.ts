/** Bounds of what a caller may set. The API validates against them; the rules here rely on them. */

export const MIN_TIMEOUT_MS = 1_000;
export const MAX_TIMEOUT_MS = 60_000;

/** Delays of one schedule; so a schedule has at most one attempt more. */
export const MAX_RETRY_DELAYS = 50;
export const MAX_RETRY_ATTEMPTS = MAX_RETRY_DELAYS + 1;
/** Seven days: the longest wait before one retry, jitter aside. */
export const MAX_RETRY_DELAY_MS = 7 * 24 * 3_600_000;
export const MIN_RETRY_FACTOR = 1;
export const MAX_RETRY_FACTOR = 10;

export const MIN_MAX_IN_FLIGHT = 1;
export const MAX_MAX_IN_FLIGHT = 10_000;
/** One in some three hours. */
export const MIN_RATE_PER_SECOND = 0.0001;
export const MAX_RATE_PER_SECOND = 100_000;
export const MAX_RATE_BURST = 1_000_000;
export const MAX_CIRCUIT_FAILURE_THRESHOLD = 1_000;
export const MAX_CIRCUIT_COOLDOWN_MS = 24 * 3_600_000;
/** How far the cool-down grows by doubling. A policy that asks for a longer one keeps its own. */
export const MAX_CIRCUIT_DOUBLED_COOLDOWN_MS = 2 * 3_600_000;
export const MAX_CIRCUIT_DISABLE_AFTER_MS = 90 * 24 * 3_600_000;

export const MAX_EVENT_TYPE_LENGTH = 128;
export const MAX_ENDPOINT_URL_LENGTH = 2_048;

export const MAX_PAYLOAD_PATH_LENGTH = 512;
export const MAX_PAYLOAD_PATH_SEGMENTS = 32;
/** Groups (`all`, `any`, `not`) within each other. */
export const MAX_FILTER_DEPTH = 5;
export const MAX_FILTER_CONDITIONS = 50;
/** Of the list of one `in`. */
export const MAX_FILTER_LIST = 100;
export const MAX_FILTER_TEXT_LENGTH = 1_024;
/** Of the whole filter as JSON. */
export const MAX_FILTER_LENGTH = 16_384;

export const MAX_EVENTS_PER_SECOND = 1_000_000;
export const MAX_EVENT_BURST = 1_000_000;
export const MAX_MAX_PENDING = 1_000_000_000;
export const MAX_TENANT_IN_FLIGHT = 1_000_000;
export const MIN_TENANT_WEIGHT = 0.01;
export const MAX_TENANT_WEIGHT = 1_000;

export const MAX_EVENT_TYPES = 1_000;
/** Of an event type's schema as JSON, in characters. */
export const MAX_SCHEMA_LENGTH = 65_536;
export const MAX_SCHEMA_DEPTH = 32;
/** Values in a schema, with every `$ref` written out. */
export const MAX_SCHEMA_SIZE = 5_000;
/** Characters of an event's data × values in its schema: more would take a noticeable part of a second. */
export const MAX_SCHEMA_WORK = 500_000_000;
/** Characters matched × size of the pattern, over all patterns of one check. */
export const MAX_PATTERN_WORK = 20_000_000;
/** Violations that are told of one event. */
export const MAX_SCHEMA_ERRORS = 20;
