import type { Bench } from '../bench.js';
import { drainBench } from './drain.bench.js';
import { durableBench } from './durable.bench.js';
import { expressBench } from './express.bench.js';
import { ingestBench } from './ingest.bench.js';
import { isolationBench } from './isolation.bench.js';
import { latencyBench } from './latency.bench.js';
import { memoryBench } from './memory.bench.js';
import { scaleBench } from './scale.bench.js';

/** A new bench is a file beside this one and an entry here. */
export const BENCHES: readonly Bench[] = [
  ingestBench,
  expressBench,
  durableBench,
  latencyBench,
  isolationBench,
  drainBench,
  scaleBench,
  memoryBench,
];
