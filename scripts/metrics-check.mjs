// npm run metrics:check: the alert rules, and names and units of our metrics, as Prometheus' own promtool judges them.
//   --no-fetch   use promtool only where it is on this machine already
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from './external-tools.mjs';
import { main, prepare, root } from './prepare.mjs';

await main(async () => {
  prepare('all');
  const promtool = findTool('promtool', { fetch: !process.argv.includes('--no-fetch') });
  if (promtool.missing) {
    console.log(
      `metrics:check: SKIPPED, rules and metrics are not checked: no promtool, ${promtool.missing}`,
    );
    return 0;
  }
  const directory = join('deploy', 'prometheus', 'rules');
  const rules = readdirSync(join(root, directory)).map((file) => join(directory, file));
  const passed = [
    passes('alert rules', promtool.path, ['check', 'rules', '--lint=all', '--lint-fatal', ...rules]),
    passes('metrics', promtool.path, ['check', 'metrics'], await page()),
  ];
  return passed.every(Boolean) ? 0 : 1;
});

/** Every metric of ours, registered as the API and the worker do it. Those of the process are prom-client's, with the names it gave them. */
async function page() {
  const metrics = await import('../libs/observability/dist/index.js');
  const registry = new metrics.MetricRegistry();
  new metrics.AcceptMetrics(registry, 1).onAccepted('tnt_1', 'order.paid');
  const attempt = {
    number: 1,
    trigger: 'schedule',
    startedAt: new Date(),
    outcome: { kind: 'succeeded', durationMs: 1 },
    decision: { next: 'succeeded' },
  };
  new metrics.DeliveryMetrics(registry, 1).onAttempt(
    { tenantId: 'tnt_1', eventType: 'order.paid', dueAt: new Date(), heldUntil: null, inOrder: false },
    attempt,
  );
  metrics.registerInstallationMetrics(registry, async () => ({
    queueDepths: [{ tenantId: 'tnt_1', waiting: 1 }],
    oldestPendingSeconds: 0.5,
    circuits: [{ endpointId: 'ep_1', state: 'open' }],
    workers: 1,
    partitionsAheadDays: 7,
  }));
  metrics.registerReadiness(registry, () => true);
  return registry.metrics();
}

function passes(what, program, args, input) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', input });
  const ok = result.status === 0;
  console.log(`metrics:check: ${what} ${ok ? 'passed' : 'FAILED'}`);
  if (!ok) console.log(`${result.stdout}${result.stderr}`.trim());
  return ok;
}
