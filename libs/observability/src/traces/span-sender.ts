import { setTimeout as delay } from 'node:timers/promises';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import type { Logger } from '../logger.js';
import { SEND_REST_WITHIN_MS } from './tracing.js';

/** Spans that wait or are under way; some 1 KB each. What comes while there are as many is lost. */
const MAX_WAITING = 4_096;
const BATCH_SIZE = 512;
const BATCH_AFTER_MS = 1_000;
/** A collector that comes and goes is told of this often at most. */
const TOLD_AGAIN_AFTER_MS = 60_000;

/** Sends spans in batches, within bounds, and says in one line when they are lost and in one when they are taken again. */
export class SpanSender {
  private readonly batches: BatchSpanProcessor;
  private waiting = 0;
  private lost = 0;
  private losing = false;
  private quietUntil = 0;

  constructor(
    exporter: SpanExporter,
    private readonly logger: Logger,
  ) {
    this.batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) =>
          exporter.export(spans, (result) => {
            this.onResult(result, spans.length);
            done(result);
          }),
        shutdown: () => exporter.shutdown(),
      },
      maxQueueSize: MAX_WAITING,
      maxExportBatchSize: BATCH_SIZE,
      scheduledDelayMillis: BATCH_AFTER_MS,
    });
  }

  /** @param make is asked only where there is room */
  send(make: () => ReadableSpan): void {
    if (this.waiting >= MAX_WAITING) return this.lose(1, 'more spans than the collector takes');
    this.waiting += 1;
    this.batches.onEnd(make());
  }

  async stop(): Promise<void> {
    // what cannot be sent was told already
    const sent = this.batches.shutdown().catch(() => undefined);
    await Promise.race([sent, delay(SEND_REST_WITHIN_MS, undefined, { ref: false })]);
    if (this.waiting > 0)
      this.logger.warn({ spans_lost: this.waiting }, 'stopped before all spans were taken');
  }

  private onResult({ code, error }: ExportResult, count: number): void {
    this.waiting -= count;
    if (code !== ExportResultCode.SUCCESS) return this.lose(count, error?.message ?? 'no reason given');
    if (!this.losing || this.waiting > MAX_WAITING / 2) return;
    this.losing = false;
    this.logger.info({ spans_lost: this.lost }, 'the collector takes spans again');
    this.lost = 0;
  }

  private lose(count: number, reason: string): void {
    this.lost += count;
    const now = performance.now();
    if (this.losing || now < this.quietUntil) return;
    this.losing = true;
    this.quietUntil = now + TOLD_AGAIN_AFTER_MS;
    this.logger.warn({ reason }, 'spans are lost: the collector does not take them; deliveries go on');
  }
}
