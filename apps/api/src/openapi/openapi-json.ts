import { createLogger } from '@hookstream/observability';
import { createApi } from '../create-api.js';
import type { ApiDependencies } from '../platform/platform.module.js';
import { buildOpenApiDocument } from './openapi-document.js';

/** The contract as it is committed. */
export async function openApiJson(): Promise<string> {
  // a preview instantiates nothing, so nothing but the body limit is ever looked at
  const dependencies = {
    config: { accept: { maxBodyBytes: 1_048_576 } },
    logger: createLogger({ name: 'openapi', level: 'error' }),
  } as unknown as ApiDependencies;
  const app = await createApi(dependencies, { preview: true });
  const document = buildOpenApiDocument(app);
  return `${JSON.stringify(document, null, 2)}\n`;
}
