export { type AddressGuard, createAddressGuard } from './address-guard.js';
export { createEgressClient } from './egress-client.js';
export { EgressFaultError } from './egress-faults.js';
export type { EgressClient, EgressOptions, EgressRequest } from './egress-options.js';
