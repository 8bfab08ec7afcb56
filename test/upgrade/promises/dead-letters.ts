import type { StoredDelivery } from '../../chaos/promises/stored-deliveries.js';
import { told } from '../../chaos/promises/told.js';

/** What was broken of: a dead letter waits through an upgrade, and a replay delivers it. In plain words. */
export function deadLetterFaults(
  deliveries: readonly StoredDelivery[],
  replayed: ReadonlySet<string>,
  arrived: ReadonlySet<string>,
): string[] {
  const wrong = deliveries.flatMap(({ deliveryId, eventId, status, attempts }) => {
    const made = attempts.map(({ trigger, outcome }) => `${trigger} ${outcome}`).join(', ');
    const asWanted = replayed.has(deliveryId)
      ? status === 'succeeded' && attempts.length === 2 && arrived.has(eventId)
      : status === 'dead_letter' && attempts.length === 1;
    return asWanted
      ? []
      : [`${deliveryId}${replayed.has(deliveryId) ? ', replayed,' : ''} is ${status} (${made})`];
  });
  return told('dead letters that are not as they should be', wrong);
}
