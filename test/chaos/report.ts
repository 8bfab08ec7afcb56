import { tellFault } from './faults/fault-runner.js';
import type { ChaosFindings } from './judgement.js';
import { tellTarget } from './promises/target-report.js';

/** What a person at the terminal wants to read. */
export function summary(findings: ChaosFindings): string {
  const { posts, readiness, circuit } = findings;
  return [
    '',
    'What was done:',
    ...findings.happened.map((fault) => `  ${tellFault(fault)}`),
    `  receivers: ${list(findings.moods)}`,
    '',
    `${findings.accepted} events accepted in ${posts.tries} requests (${posts.unavailable} answered 503, ${posts.unanswered} not answered, slowest ${posts.slowestMs} ms).`,
    ...findings.endpoints.map(tellTarget),
    `Everything had come to its end ${seconds(findings.settledAfterMs)} after healing.`,
    `Circuit: opened ${circuit.opened} times, half open ${circuit.halfOpen} times with ${circuit.probes} probes.`,
    `Readiness: ${readiness.samples} samples, ${readiness.ready} ready, ${readiness.notReady} not ready, ` +
      `${readiness.unanswered} without an answer, slowest ${readiness.slowestMs} ms.`,
    `Memory: ${findings.memory
      .filter(({ growthMb }) => growthMb !== undefined)
      .map(
        ({ part, growthMb, peakMb, seconds }) =>
          `${part} ${growthMb} MB growth to ${peakMb} MB in ${seconds} s`,
      )
      .join(', ')}`,
    '',
  ].join('\n');
}

function list(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${count}×`)
    .join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
