import { TestReceiver, type ReceivedRequest } from '@hookstream/testing';
import protobuf from 'protobufjs';

/** The part of https://github.com/open-telemetry/opentelemetry-proto (trace/v1) that spans are told by. */
const TRACE_PROTO = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start = 7; fixed64 end = 8; repeated KeyValue attributes = 9; Status status = 15;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`;
const REQUEST = protobuf.parse(TRACE_PROTO).root.lookupType('Request');

export interface CollectedSpan {
  /** Its process' `service.name`. */
  service: string;
  traceId: string;
  spanId: string;
  /** Undefined: the first of its trace. */
  parentSpanId: string | undefined;
  name: string;
  kind: number;
  /** Nanoseconds since 1970. */
  start: bigint;
  end: bigint;
  /** 2: it failed. */
  status: { code?: number; message?: string };
  attributes: Record<string, unknown>;
}

/** A real HTTP server that takes what OTLP exporters send and reads it. */
export class OtlpCollector {
  private constructor(private readonly receiver: TestReceiver) {}

  static async start(): Promise<OtlpCollector> {
    return new OtlpCollector(await TestReceiver.start());
  }

  /** As `OTEL_EXPORTER_OTLP_ENDPOINT` names it. */
  get url(): string {
    return this.receiver.url('');
  }

  get requests(): readonly ReceivedRequest[] {
    return this.receiver.requests;
  }

  get spans(): CollectedSpan[] {
    return this.receiver.requestsTo('/v1/traces').flatMap(spansOf);
  }

  ofTrace(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  close(): Promise<void> {
    return this.receiver.close();
  }
}

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}
interface Message {
  resourceSpans?: {
    resource: { attributes: KeyValue[] };
    scopeSpans: { spans: SpanMessage[] }[];
  }[];
}
interface SpanMessage {
  traceId: Uint8Array;
  spanId: Uint8Array;
  parentSpanId?: Uint8Array;
  name: string;
  kind: number;
  start: string;
  end: string;
  attributes?: KeyValue[];
  status?: { code?: number; message?: string };
}

function spansOf({ body }: ReceivedRequest): CollectedSpan[] {
  const message = REQUEST.toObject(REQUEST.decode(body), { longs: String, bytes: Buffer }) as Message;
  return (message.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ service, ...toSpan(span) })));
  });
}

function toSpan(span: SpanMessage): Omit<CollectedSpan, 'service'> {
  return {
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: span.parentSpanId?.length ? hex(span.parentSpanId) : undefined,
    name: span.name,
    kind: span.kind,
    start: BigInt(span.start),
    end: BigInt(span.end),
    status: span.status ?? {},
    attributes: valuesOf(span.attributes ?? []),
  };
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[kind, content] = ['', undefined]] = Object.entries(value);
      return [key, kind === 'intValue' ? Number(content) : content];
    }),
  );
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
