/**
 * How much longer than its endpoint's timeout the slot of a workflow counts, in milliseconds: the time from start to attempt and from answer to
 * record on a busy machine. It is given back much sooner, and a worker that dies leaves it to the one that makes the attempt anew.
 */
const SLOT_SPARE_MS = 60_000;

/** For {@link slotOfAttempt}: a slot with less than the timeout and this left when its attempt begins is extended. */
export const SLOT_LEAST_SPARE_MS = 15_000;

/** Until when the slot of a workflow counts whose attempt may take `timeoutMs`, an expression. */
export const slotOfAttempt = (timeoutMs: string, spareMs = SLOT_SPARE_MS): string =>
  `now() + (${timeoutMs} + ${spareMs}) * interval '1 millisecond'`;

/**
 * Common table expressions that let slots count for longer and, where one is the probe of a half-open circuit, keep the right to probe as long. What
 * is given back just now stays so, without a wait for who does it.
 * @param deliveries which, as the right side of a condition: `= $1`
 * @param until an expression; `e` is the endpoint
 */
export const keepsSlots = (deliveries: string, until: string): string => `kept AS (
    UPDATE slots s SET expires_at = ${until}
      FROM endpoints e
     WHERE e.id = s.endpoint_id AND s.delivery_id = ANY (ARRAY(
       SELECT delivery_id FROM slots WHERE delivery_id ${deliveries} ORDER BY delivery_id FOR UPDATE SKIP LOCKED))
    RETURNING s.endpoint_id, s.delivery_id, s.expires_at
  ), kept_probe AS (
    UPDATE endpoint_gates g SET probe_until = k.expires_at
      FROM kept k WHERE g.endpoint_id = k.endpoint_id AND g.probe_delivery_id = k.delivery_id
  )`;

/**
 * Common table expressions that give slots back and, where one was the probe of a half-open circuit, the right to probe: it has
 * told nothing about the endpoint.
 * @param deliveries which, as the right side of a condition: `= $1`
 */
export const givesSlotsBack = (deliveries: string): string => `slot AS (
    DELETE FROM slots WHERE delivery_id ${deliveries} RETURNING endpoint_id, delivery_id
  ), probe AS (
    UPDATE endpoint_gates g SET probe_delivery_id = NULL, probe_until = NULL
      FROM slot s WHERE g.endpoint_id = s.endpoint_id AND g.probe_delivery_id = s.delivery_id
  )`;
