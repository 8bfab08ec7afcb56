// npm run helm:check: the chart in deploy/helm by `helm lint`, and what it renders by `kubeconform -strict`, with each of deploy/helm/ci.
//   --no-fetch   use only programs and schemas that are on this machine already
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from './external-tools.mjs';
import { KUBERNETES_VERSION, kubernetesSchemas } from './kubernetes-schemas.mjs';
import { main, root } from './prepare.mjs';

const fetch = !process.argv.includes('--no-fetch');
const CHART = join('deploy', 'helm');
// A Helm built from source takes an old version of Kubernetes for granted.
const KUBE = ['--kube-version', KUBERNETES_VERSION];
const GOOD = ['--values', join(CHART, 'ci', 'existing-secret.yaml')];
/** What an operator may get wrong, and the word by which the chart says so. */
const REFUSED = [
  { args: ['--set', 'temporal.address=temporal:7233'], told: 'existingSecret' },
  { args: ['--set', 'existingSecret=hookstream'], told: '/temporal/address' },
  { args: [...GOOD, '--set', 'temporal.adress=x:7233'], told: 'adress' },
  { args: [...GOOD, '--set', 'image.tag=latest'], told: '/image/tag' },
  { args: [...GOOD, '--set', 'worker.replicas=0'], told: '/worker/replicas' },
  { args: [...GOOD, '--set', 'api.ingress.enabled=true'], told: '/api/ingress/host' },
  { args: [...GOOD, '--set', 'traces.endpoint=collector:4317'], told: '/traces/endpoint' },
  {
    args: [...GOOD, '--set-string', 'settings.HOOKSTREAM_ADMIN_TOKEN=0123456789012345'],
    told: 'HOOKSTREAM_ADMIN_TOKEN',
  },
];

await main(() => {
  const results = chart();
  const count = (value) => results.filter((result) => result === value).length;
  console.log(`helm:check: ${count(true)} passed, ${count(false)} failed, ${count(undefined)} SKIPPED`);
  return count(false) === 0 ? 0 : 1;
});

function chart() {
  const helm = findTool('helm', { fetch });
  if (helm.missing) return [skip('helm lint, helm template', helm.missing)];
  const values = readdirSync(join(root, CHART, 'ci')).map((name) => join(CHART, 'ci', name));
  return [
    ...values.map((file) => lint(helm.path, file)),
    ...REFUSED.map((fault) => refuses(helm.path, fault)),
    ...conforms(helm.path, values),
  ];
}

function lint(helm, file) {
  const result = call(helm, ['lint', '--strict', '--quiet', ...KUBE, CHART, '--values', file]);
  return tell(`helm lint with ${file}`, result.status === 0, result.output);
}

function refuses(helm, { args, told }) {
  const result = call(helm, ['template', 'hooks', CHART, ...KUBE, ...args]);
  const refused = result.status !== 0 && result.output.includes(told);
  return tell(
    `refuses ${args.slice(-1)}`,
    refused,
    `it should fail and name ${told}:\n${result.output.slice(0, 2_000)}`,
  );
}

function conforms(helm, values) {
  const kubeconform = findTool('kubeconform', { fetch });
  const schemas = kubeconform.missing ? kubeconform : kubernetesSchemas({ fetch });
  if (schemas.missing) return [skip('kubeconform', schemas.missing)];
  return values.map((file) => {
    const rendered = call(helm, [
      'template',
      'hooks',
      CHART,
      ...KUBE,
      '--namespace',
      'webhooks',
      '--values',
      file,
    ]);
    if (rendered.status !== 0) return tell(`helm template with ${file}`, false, rendered.output);
    const options = ['-strict', '-summary', '-kubernetes-version', KUBERNETES_VERSION];
    const result = call(
      kubeconform.path,
      [...options, '-schema-location', schemas.location],
      rendered.stdout,
    );
    return tell(`kubeconform -strict with ${file}`, result.status === 0, result.output, result.stdout.trim());
  });
}

function call(program, args, input) {
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', input });
  return {
    status: result.status,
    stdout: result.stdout ?? '',
    output: `${result.stdout ?? ''}${result.stderr ?? ''}`,
  };
}

function tell(what, passed, details, remark = '') {
  console.log(
    `helm:check: ${what} ${passed ? 'passed' : `FAILED\n${details}`}${passed && remark ? ` (${remark})` : ''}`,
  );
  return passed;
}

function skip(what, reason) {
  console.log(`helm:check: ${what} SKIPPED: ${reason}`);
  return undefined;
}
