export { createApi, API_PREFIX } from './create-api.js';
export { openApiJson } from './openapi/openapi-json.js';
export type { ApiDependencies } from './platform/platform.module.js';
