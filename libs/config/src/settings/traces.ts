import { z } from 'zod';
import { pairs, url, text } from './readers.js';
import { inGroup, setting } from './setting.js';

/** OpenTelemetry's names: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const TRACE_SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type TraceSampler = (typeof TRACE_SAMPLERS)[number];

export const TRACES_GROUP = inGroup('Traces', {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(url('http:', 'https:'), {
    optional: true,
    doc: 'Where spans are sent by OTLP over HTTP, without the `/v1/traces` that is appended, as `http://collector:4318`. Absent: no traces.',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting(pairs, {
    default: '',
    secret: true,
    doc: 'Headers to send along, as `name=value,…` with percent-encoded values, such as `authorization=Bearer%20…`.',
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(
    z.enum(['http/protobuf'], 'must be http/protobuf, which is the only one spoken'),
    {
      default: 'http/protobuf',
      doc: '`http/protobuf`. Collectors take it on port 4318; 4317 is that of gRPC, which is not spoken.',
    },
  ),
  OTEL_TRACES_EXPORTER: setting(z.enum(['otlp', 'none'], 'must be otlp or none'), {
    default: 'otlp',
    doc: '`none`: no traces, whatever else is set.',
  }),
  OTEL_TRACES_SAMPLER: setting(z.enum(TRACE_SAMPLERS, `must be one of ${TRACE_SAMPLERS.join(', ')}`), {
    default: 'parentbased_always_on',
    doc: 'Which traces are sent. `parentbased_…`: what came with a `traceparent` as that says, all others as the rest of the name says. The same for the API and the workers.',
  }),
  OTEL_TRACES_SAMPLER_ARG: setting(
    z
      .string()
      .regex(/^\d+(?:\.\d+)?$|^\.\d+$/, 'must be a number from 0 to 1')
      .transform(Number)
      .refine((n) => n <= 1, 'must be a number from 0 to 1'),
    {
      default: '1',
      doc: 'The share of traces that `traceidratio` and `parentbased_traceidratio` send, from 0 to 1.',
    },
  ),
  OTEL_SERVICE_NAME: setting(text(), {
    optional: true,
    doc: 'The `service.name` of spans. Absent: `hookstream-api` and `hookstream-worker`.',
  }),
  OTEL_RESOURCE_ATTRIBUTES: setting(pairs, {
    default: '',
    doc: 'More attributes of the process, as `deployment.environment.name=production,…`.',
  }),
});
