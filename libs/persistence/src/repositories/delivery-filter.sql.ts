import { idToUuid, type DeliveryStatus } from '@hookstream/domain';

export interface DeliveryFilter {
  status?: DeliveryStatus | undefined;
  endpointId?: string | undefined;
  eventId?: string | undefined;
  eventType?: string | undefined;
  /** Inclusive, by creation. */
  since?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
}

/** Parameters of one statement, in the order in which they were named. */
export class Parameters {
  readonly values: unknown[];

  constructor(...values: unknown[]) {
    this.values = values;
  }

  /** Answers how the statement names the value. */
  add(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** Conditions on columns that have an index of their own, so that they bound how much is read. */
export function indexedConditions(
  filter: Pick<DeliveryFilter, 'endpointId' | 'eventId'>,
  parameters: Parameters,
): string[] {
  return [
    ...(filter.endpointId
      ? [`endpoint_id = ${parameters.add(idToUuid('endpoint', filter.endpointId))}`]
      : []),
    ...(filter.eventId ? [`event_id = ${parameters.add(idToUuid('event', filter.eventId))}`] : []),
  ];
}
