import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Wire names. Permanent once released: workers, clients and open histories of older versions rely on them. */
export const NAMESPACE = 'hookstream';

export const TASK_QUEUE = {
  deliveries: 'hookstream-deliveries',
  control: 'hookstream-control',
} as const;

export const WORKFLOW = {
  delivery: 'deliveryWorkflow',
  endpoint: 'endpointWorkflow',
  replay: 'replayWorkflow',
  maintenance: 'maintenanceWorkflow',
} as const;

/** The workflow id of an endpoint's breaker. */
export const endpointWorkflowId = (endpointId: string): string => `endpoint/${endpointId}`;

export const SCHEDULE_ID = { maintenance: 'hookstream-maintenance' } as const;

export const SEARCH_ATTRIBUTE = {
  tenantId: defineSearchAttributeKey('HookstreamTenantId', SearchAttributeType.KEYWORD),
  endpointId: defineSearchAttributeKey('HookstreamEndpointId', SearchAttributeType.KEYWORD),
  eventId: defineSearchAttributeKey('HookstreamEventId', SearchAttributeType.KEYWORD),
  eventType: defineSearchAttributeKey('HookstreamEventType', SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey('HookstreamStatus', SearchAttributeType.KEYWORD),
} as const;
