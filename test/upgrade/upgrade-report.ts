import { tellTarget } from '../chaos/promises/target-report.js';
import type { UpgradeFindings } from './upgrade-judgement.js';

/** What a person at the terminal wants to read. */
export function upgradeSummary(findings: UpgradeFindings): string {
  const { accepted, posts, slowestPostMs, lookUps, endpoints, workflows, handedOver, replayed } = findings;
  return [
    '',
    `${accepted} events accepted in ${posts} requests (slowest ${slowestPostMs} ms), ${lookUps} look-ups.`,
    ...endpoints.map(tellTarget),
    ...handedOver.map(
      ({ from, to, open, finished }) =>
        `Of ${open} deliveries in retries when the worker of ${from} went, ${finished} were begun by it and finished by ${to}.`,
    ),
    `${workflows} workflow histories read; ${replayed} dead letters replayed.`,
    `Everything had come to its end ${(findings.settledAfterMs / 1_000).toFixed(1)} s after the last event.`,
    '',
  ].join('\n');
}
