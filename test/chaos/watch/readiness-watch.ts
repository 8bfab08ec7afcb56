/** One question to /health/ready. Times are Unix ms. */
export interface ReadinessSample {
  startedAt: number;
  endedAt: number;
  /** Absent: there was no answer. */
  status?: number;
  /** There was none within the time. */
  timedOut: boolean;
  /** What of the answer says why not. */
  why?: string;
}

const EVERY_MS = 250;
/** Readiness answers within a few seconds whatever is away; an orchestrator would not wait any longer. */
export const READINESS_ANSWERS_WITHIN_MS = 10_000;

/** Asks four times a second, whether or not the last one was answered. */
export class ReadinessWatch {
  readonly samples: ReadinessSample[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly apiUrl: string) {}

  start(): void {
    this.timer = setInterval(() => {
      const asking = this.ask().finally(() => this.underWay.delete(asking));
      this.underWay.add(asking);
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
  }

  private async ask(): Promise<void> {
    const sample: ReadinessSample = { startedAt: Date.now(), endedAt: 0, timedOut: false };
    try {
      const answer = await fetch(`${this.apiUrl}/api/v1/health/ready`, {
        signal: AbortSignal.timeout(READINESS_ANSWERS_WITHIN_MS),
      });
      const text = await answer.text();
      sample.status = answer.status;
      if (answer.status !== 200) sample.why = text.slice(0, 400);
    } catch (error) {
      sample.timedOut = (error as Error).name === 'TimeoutError';
      sample.why = String((error as Error).cause ?? error);
    }
    sample.endedAt = Date.now();
    this.samples.push(sample);
  }
}
