/**
 * Places of one statement among each other: a delivery's place is the turn of its key times this plus its position within the
 * statement that put it there.
 */
export const PLACES_PER_TURN = 1_000_000_000;

/**
 * Gives a delivery the last place under its key, or the first where none waits: $1 endpoint, $2 key, $3 delivery. The caller
 * holds the endpoint's row. Gives `seq` and whether it is `blocked` by another.
 */
export const TAKE_PLACE_SQL = `
INSERT INTO order_keys AS k (endpoint_id, order_key, head_delivery_id, turn) VALUES ($1, $2, $3, 1)
ON CONFLICT (endpoint_id, order_key) DO UPDATE SET turn = k.turn + 1
RETURNING k.turn * ${PLACES_PER_TURN} AS seq, k.head_delivery_id <> $3 AS blocked`;
