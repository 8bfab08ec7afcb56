/** NOTIFY channel: something in the outbox may be claimable now. The payload is a comma list of lanes; empty: any. */
export const OUTBOX_CHANNEL = 'hookstream_outbox';

/** Wakes the dispatchers when the transaction commits. */
export const WAKE_DISPATCHERS = `SELECT pg_notify('${OUTBOX_CHANNEL}', '')`;
