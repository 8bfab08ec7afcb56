import { proxyLocalActivities } from '@temporalio/workflow';
import type { BareActivities } from './bare-protocol.js';

const { post } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '30 s' });

/** The least that a delivery by Temporal can be: one local activity that makes one request. */
export async function bareDelivery(input: { path: string; id: string }): Promise<void> {
  await post(input);
}
