// Strict JSON schemas of Kubernetes' own objects and of the Prometheus operator's, for kubeconform. Made from what Kubernetes and the
// operator publish as Go modules: where schemas are usually fetched from is no package registry.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { cacheDirectory, goModule } from './external-tools.mjs';

export const KUBERNETES_VERSION = '1.34.2';
const KUBERNETES = `k8s.io/kubernetes@v${KUBERNETES_VERSION}`;
const OPERATOR = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';
const OPERATOR_FILES = [
  'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
];

/** @returns `{ location }` as kubeconform takes it, or `{ missing }` with the reason */
export function kubernetesSchemas({ fetch = true } = {}) {
  const directory = join(cacheDirectory, 'kubernetes-schemas', KUBERNETES_VERSION);
  const done = join(directory, 'done');
  const location = join(directory, '{{.ResourceKind}}{{.KindSuffix}}.json');
  if (existsSync(done)) return { location };
  if (!fetch) return { missing: `they are not at ${directory}` };
  const [kubernetes, operator] = [goModule(KUBERNETES), goModule(OPERATOR)];
  const missing = kubernetes.missing ?? operator.missing;
  if (missing) return { missing };
  mkdirSync(directory, { recursive: true });
  writeOwnKinds(join(kubernetes.path, 'api', 'openapi-spec', 'swagger.json'), directory);
  for (const file of OPERATOR_FILES) writeCustomKind(join(operator.path, file), directory);
  writeFileSync(done, '');
  return { location };
}

function writeOwnKinds(file, directory) {
  const { definitions } = JSON.parse(readFileSync(file, 'utf8'));
  for (const [name, definition] of Object.entries(definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const needed = Object.fromEntries(
        [...closure(name, definitions)].map((key) => [key, strict(definitions[key])]),
      );
      const schema = { $ref: `#/definitions/${name}`, definitions: needed };
      writeFileSync(join(directory, fileName(kind, group, version)), JSON.stringify(schema));
    }
  }
}

function writeCustomKind(file, directory) {
  const { spec } = parse(readFileSync(file, 'utf8'));
  for (const { name, schema } of spec.versions) {
    const target = join(directory, fileName(spec.names.kind, spec.group, name));
    writeFileSync(target, JSON.stringify(strict(schema.openAPIV3Schema)));
  }
}

/** As kubeconform asks for it: the group's first label. */
function fileName(kind, group, version) {
  return [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase().concat('.json');
}

function closure(name, definitions) {
  const found = new Set([name]);
  for (const key of found) {
    for (const [, other] of JSON.stringify(definitions[key]).matchAll(/"#\/definitions\/([^"]+)"/g))
      found.add(other);
  }
  return found;
}

/** Unknown fields are refused, as the API server warns of them; what may be anything stays so. */
function strict(schema) {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'])
    return { oneOf: [{ type: 'string' }, { type: 'integer' }] };
  const result = Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !key.startsWith('x-') && key !== 'format' && key !== 'description')
      .map(([key, value]) => [key, key === 'properties' ? strictProperties(value) : strict(value)]),
  );
  const open = schema['x-kubernetes-preserve-unknown-fields'] || schema.additionalProperties !== undefined;
  if (result.properties && !open) result.additionalProperties = false;
  // In the operator's schemas the objects' own metadata is left to Kubernetes.
  if (result.properties?.metadata?.type === 'object' && !result.properties.metadata.properties)
    result.properties.metadata = {};
  return result;
}

/** Names of properties may be those of keywords: `format`, `x-…`. */
function strictProperties(properties) {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, strict(schema)]));
}
