/** A number that only grows. */
export class Counter {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

/** How often values fell into each of a few ranges. Observing costs a few comparisons and allocates nothing. */
export class Histogram {
  readonly counts: Float64Array;
  sum = 0;

  /** @param bounds upper bounds, ascending, in the unit of the metric */
  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index += 1;
    counts[index] = (counts[index] as number) + 1;
    this.sum += value;
  }
}

/** One line of a page: label values in the order of the metric's labels, and what is measured. */
export interface Sample {
  labels: readonly string[];
  value: number;
}

interface MetricHead {
  name: string;
  help: string;
  labels?: readonly string[];
}

type Family = { head: MetricHead; write: (lines: string[]) => void | Promise<void> };

/** The metrics of one process, and the page that Prometheus reads. Text format 0.0.4. */
export class MetricRegistry {
  private readonly families: Family[] = [];

  counter(head: MetricHead): Counter {
    const counter = new Counter();
    this.add(head, 'counter', () => [{ labels: [], value: counter.value }]);
    return counter;
  }

  /** @param samples what to show of it when it is asked for */
  counters(head: MetricHead, samples: () => Iterable<Sample>): void {
    this.add(head, 'counter', samples);
  }

  /** @param samples as {@link counters}; where it rejects, the metric is left out of that page */
  gauge(head: MetricHead, samples: () => Iterable<Sample> | Promise<Iterable<Sample>>): void {
    this.add(head, 'gauge', samples);
  }

  histogram(head: MetricHead, bounds: readonly number[]): Histogram {
    const histogram = new Histogram(bounds);
    this.families.push({
      head,
      write: (lines) => {
        lines.push(`# HELP ${head.name} ${head.help}`, `# TYPE ${head.name} histogram`);
        let cumulative = 0;
        for (const [index, count] of histogram.counts.entries()) {
          cumulative += count;
          lines.push(`${head.name}_bucket{le="${bounds[index] ?? '+Inf'}"} ${cumulative}`);
        }
        lines.push(`${head.name}_sum ${histogram.sum}`, `${head.name}_count ${cumulative}`);
      },
    });
    return histogram;
  }

  async page(): Promise<string> {
    const lines: string[] = [];
    for (const family of this.families) await family.write(lines);
    return `${lines.join('\n')}\n`;
  }

  private add(
    head: MetricHead,
    type: 'counter' | 'gauge',
    samples: () => Iterable<Sample> | Promise<Iterable<Sample>>,
  ): void {
    this.families.push({
      head,
      write: async (lines) => {
        lines.push(`# HELP ${head.name} ${head.help}`, `# TYPE ${head.name} ${type}`);
        try {
          for (const { labels, value } of await samples()) lines.push(line(head, labels, value));
        } catch {
          // What cannot be measured now has no samples: a stale number would look like a fresh one.
        }
      },
    });
  }
}

function line({ name, labels = [] }: MetricHead, values: readonly string[], value: number): string {
  if (labels.length === 0) return `${name} ${value}`;
  const pairs = labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
  return `${name}{${pairs.join(',')}} ${value}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
