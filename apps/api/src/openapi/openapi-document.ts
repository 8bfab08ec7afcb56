import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { FilterConditionSchema } from '../endpoints/dto/filter.dto.js';
import { CreateEventsSchema } from '../events/dto/event.dto.js';
import { ProblemSchema } from '../http/problem.dto.js';

type JsonSchema = Record<string, unknown>;

const DESCRIPTION = `Hookstream delivers webhooks durably: post an event once, and it is signed and delivered to every matching endpoint, with retries, until it arrives or its schedule is exhausted.

Errors are \`application/problem+json\` (RFC 9457). Lists are newest first and paged with \`limit\` and \`cursor\`. Times are RFC 3339 in UTC. Another tenant's object is a 404.`;

/** The contract, built from the routes and the schemas that validate them. Needs no database and no Temporal. */
export function buildOpenApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Hookstream')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/', 'This server')
    .addTag('events', 'Accept events and look them up.')
    .addTag('event-types', 'Describe events and check them against a schema.')
    .addTag('endpoints', 'Where events are delivered to, and how.')
    .addTag('deliveries', 'One event to one endpoint, with its attempts.')
    .addTag('dead-letter', 'Deliveries whose schedule is exhausted.')
    .addTag('replays', 'Many deliveries, delivered again.')
    .addTag('api-keys', 'The keys of a tenant.')
    .addTag('stats', 'Counts, success rates and percentiles over time.')
    .addTag('audit-log', 'Who changed what, when.')
    .addTag('tenants', "The operator's customers.")
    .addTag('health', 'Whether the system works.')
    .addSecurity('api_key', {
      type: 'http',
      scheme: 'bearer',
      description: 'An API key: `hs_live_…` or `hs_test_…`.',
    })
    .addSecurity('api_key_header', { type: 'apiKey', in: 'header', name: 'X-API-Key' })
    .addSecurity('operator_token', { type: 'http', scheme: 'bearer', description: "The operator's token." })
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
    standardSchemaConverter: (schema) => convert(schema as z.ZodType),
  });
  const schemas = (document.components ??= {}).schemas ?? {};
  for (const extra of [ProblemSchema, CreateEventsSchema, FilterConditionSchema])
    Object.assign(schemas, convert(extra).components);
  document.components.schemas = Object.fromEntries(
    Object.entries(schemas).sort(([a], [b]) => a.localeCompare(b)),
  );
  return document;
}

/**
 * A schema and the named ones it uses. Written as what is sent (`input`): requests may leave out what has a default, and
 * answers may gain fields without breaking those who check them.
 */
function convert(schema: z.ZodType): { schema: JsonSchema; components: Record<string, JsonSchema> } {
  const generated = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    // `format` says it; the pattern is a screenful
    override: ({ zodSchema, jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      // zod drops the examples of what it transforms, as if they were of the outcome; ours are of what is sent
      const examples = z.globalRegistry.get(zodSchema)?.['examples'];
      if (Array.isArray(examples)) jsonSchema.examples = examples as never;
    },
  });
  const { $schema: _dialect, $defs = {}, ...root } = inComponents(generated);
  return { schema: root, components: $defs };
}

/** The same with references to where OpenAPI keeps its schemas. */
function inComponents(generated: object): JsonSchema & { $defs?: Record<string, JsonSchema> } {
  return JSON.parse(
    JSON.stringify(generated).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/'),
  ) as JsonSchema;
}
