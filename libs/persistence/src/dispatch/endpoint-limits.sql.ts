/** How late the machinery may be, in milliseconds, for the tokens it missed to be made up for. */
const MADE_UP_FOR_MS = 100;
/** Slower than any rate the API takes; keeps the arithmetic of intervals in range whatever the table holds. */
const SLOWEST_RATE = '0.00001';

/**
 * What the limits of an endpoint let go at `now()`. Expects `e` (endpoints), `g` (its gate) and `t` (its tenant) in scope and `firstDue`,
 * an expression: since when the first waiting delivery could have gone. Gives `limits` with
 * - `free`: how many may go; 0 while the circuit is open, one probe at a time while it is half open;
 * - `tenant_free`: how many the tenant's own limit leaves, null without one;
 * - `rate`, `burst`: tokens per second and how many may go at once, null without a rate limit;
 * - `ago`: seconds since the next token was due, negative when it is yet to come;
 * - `full_up`: whether a slot is missing where the circuit would let go.
 *
 * The rate limiter is GCRA: `tat` is when the next token is due by theory, and taking one moves it on by 1/rate. It lags behind now by
 * as much as the machinery was late with a delivery that waited (at most {@link MADE_UP_FOR_MS}), so that timers and round trips do not
 * slow the rate down; an endpoint that had nothing to send gets no more than its burst.
 *
 * @param exceptDelivery an expression: a delivery whose own slot does not count
 */
export const limitsOf = (firstDue: string, exceptDelivery?: string): string => `
  CROSS JOIN LATERAL (
    SELECT CASE WHEN e.rate_limit->>'per_second' IS NOT NULL THEN greatest((e.rate_limit->>'per_second')::float8, ${SLOWEST_RATE}) END AS rate,
           (e.rate_limit->>'burst')::float8 AS burst
  ) stored
  CROSS JOIN LATERAL (
    SELECT stored.rate, CASE WHEN stored.rate IS NOT NULL THEN coalesce(stored.burst, greatest(1, ceil(stored.rate))) END AS burst
  ) policy
  CROSS JOIN LATERAL (
    SELECT CASE WHEN policy.rate IS NOT NULL THEN extract(epoch FROM now() - greatest(
             g.tat, ${firstDue}, now() - interval '${MADE_UP_FOR_MS} milliseconds'))::float8 END AS ago,
           CASE e.circuit_state WHEN 'closed' THEN e.max_in_flight WHEN 'open' THEN 0
             ELSE (g.probe_until IS NULL OR g.probe_until <= now())::int END AS circuit_free,
           e.max_in_flight - (SELECT count(*)::int FROM slots s WHERE s.endpoint_id = e.id AND s.expires_at > now()
                              ${exceptDelivery === undefined ? '' : `AND s.delivery_id <> ${exceptDelivery}`}) AS slots_free,
           CASE WHEN t.max_in_flight IS NOT NULL THEN t.max_in_flight -
             (SELECT count(*)::int FROM slots s WHERE s.tenant_id = t.id AND s.expires_at > now()) END AS tenant_free
    OFFSET 0 -- or every use below would count the slots again
  ) state
  CROSS JOIN LATERAL (
    SELECT policy.rate, policy.burst, state.ago, state.tenant_free, state.circuit_free, state.slots_free,
           least(1000000, floor(state.ago * policy.rate + policy.burst + 1e-6))::int AS tokens
  ) measured
  CROSS JOIN LATERAL (
    SELECT measured.*,
           greatest(0, least(measured.circuit_free, measured.slots_free, measured.tokens)) AS free,
           measured.slots_free <= 0 AND measured.circuit_free > 0 AS full_up
  ) limits`;

/** When the rate let one more go; null without a rate. Expects `limits` and `g` as above. */
const RATE_HELD_UNTIL = `CASE WHEN limits.rate IS NOT NULL THEN g.tat - ((limits.burst - 1) / limits.rate) * interval '1 second' END`;

/**
 * Until when an endpoint was held back: changed (resumed, its circuit closed), or by its rate. What waits for it is late from then on.
 * Expects `e`, `g` and `limits` as above.
 */
export const HELD_UNTIL = `greatest(e.updated_at, ${RATE_HELD_UNTIL})`;

/** Until when it was changed, or a claim took all that its limits and pace let go: what was left then could not go. Needs no `limits`. */
export const CHANGED_OR_LIMITED_UNTIL = `greatest(e.updated_at, g.limited_at)`;

/** Both. */
export const HELD_OR_LIMITED_UNTIL = `greatest(${CHANGED_OR_LIMITED_UNTIL}, ${RATE_HELD_UNTIL})`;

/** The gate's `tat` after `taken` tokens; expects `limits` as above under that alias. */
export const tatAfter = (limits: string, taken: string): string =>
  `now() + (${taken} / ${limits}.rate - ${limits}.ago) * interval '1 second'`;
