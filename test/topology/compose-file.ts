import { parse } from 'yaml';

export interface ComposeService {
  image?: string;
  build?: unknown;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string | number | boolean>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  profiles?: string[];
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string } } };
  logging?: unknown;
  read_only?: boolean;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  networks?: Record<string, unknown>;
  volumes?: Record<string, unknown>;
}

/** A place in the file where the environment comes in. */
export interface Interpolation {
  name: string;
  /** `?` fails without a value, `-` has a default, the empty text neither. */
  kind: '?' | '-' | '';
  argument: string;
}

const INTERPOLATION = /\$(?:\$|\{(\w+)(?::?([-?])([^}]*))?\})/g;

/** The file as written: merged, nothing filled in. @throws YAMLParseError */
export function parseCompose(text: string): ComposeFile {
  return parse(text, { merge: true }) as ComposeFile;
}

/** Where an environment comes into a text. */
export function interpolationsOf(text: string): Interpolation[] {
  return [...text.matchAll(INTERPOLATION)].flatMap(([, name, kind = '', argument = '']) =>
    name === undefined ? [] : [{ name, kind: kind as Interpolation['kind'], argument }],
  );
}

/**
 * The file as Compose runs it. Empty counts as absent, as with `:-` and `:?`, the only forms in use.
 * @throws Error naming every variable that is required and absent
 */
export function resolveCompose(text: string, env: Readonly<Record<string, string | undefined>>): ComposeFile {
  const missing = new Set<string>();
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.replace(INTERPOLATION, (_, name?: string, kind?: string, argument = '') => {
        if (name === undefined) return '$';
        const given = env[name];
        if (given) return given;
        if (kind === '?') missing.add(name);
        return kind === '-' ? (argument as string) : '';
      });
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
    return value;
  };
  const resolved = fill(parseCompose(text)) as ComposeFile;
  if (missing.size > 0) throw new Error(`required and not set: ${[...missing].join(', ')}`);
  return resolved;
}

/** The services in an order in which each comes after those it depends on; those of profiles left out. @throws Error on a cycle */
export function startOrder({ services }: ComposeFile): string[] {
  const order: string[] = [];
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name))
      throw new Error(`services wait for each other: ${[...above, name].join(' → ')}`);
    if (order.includes(name)) return;
    for (const other of Object.keys(services[name]?.depends_on ?? {})) visit(other, [...above, name]);
    order.push(name);
  };
  for (const [name, service] of Object.entries(services)) if (!service.profiles) visit(name, []);
  return order;
}
