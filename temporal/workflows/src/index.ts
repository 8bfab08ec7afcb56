// Everything exported here becomes a workflow type: workflows only.
export { deliveryWorkflow } from './delivery.workflow.js';
export { endpointWorkflow } from './endpoint.workflow.js';
export { maintenanceWorkflow } from './maintenance.workflow.js';
export { replayWorkflow } from './replay.workflow.js';
