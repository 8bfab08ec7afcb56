/**
 * How much longer than its lease and its endpoint's timeout a slot counts, in milliseconds: the time from start to attempt and
 * from answer to record on a busy machine. A slot is given back much sooner; the end is for those of a worker that died.
 */
export const SLOT_SPARE_MS = 60_000;

/** A slot with less than the timeout and this left when its attempt begins is extended. */
export const SLOT_LEAST_SPARE_MS = 15_000;

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
