import { interpolationsOf, parseCompose, startOrder, type ComposeService } from './compose-file.js';

export interface ComposeSurroundings {
  compose: string;
  /** `.env.example` */
  example: string;
  /** Names of the settings that the applications read. */
  settings: readonly string[];
  /** Whether a file or folder of the repository is there, by its path from the root. */
  exists: (path: string) => boolean;
}

/** Runs once and ends. */
const oneShot = (service: ComposeService): boolean => service.restart?.startsWith('on-failure') ?? false;
const ours = (service: ComposeService): boolean => service.build !== undefined;
const SECRET_NAME = /PASSWORD|_PWD$|TOKEN|SECRET|_KEY$|_HEADERS$|^DATABASE_URL$/;
/** Read by the demo receiver, which is no application of Hookstream. */
const DEMO_NAMES = ['PORT', 'DEMO_ENDPOINT_SECRET'];

/** What an operator would stumble over, beside what the Compose specification itself asks for. One line each. */
export function composeProblems(surroundings: ComposeSurroundings): string[] {
  const file = parseCompose(surroundings.compose);
  const problems = exampleProblems(surroundings);
  for (const [name, service] of Object.entries(file.services)) {
    const found = [
      ...imageProblems(service),
      ...lifeProblems(service),
      ...environmentProblems(service, surroundings.settings),
      ...mountProblems(service, Object.keys(file.volumes ?? {}), surroundings.exists),
      ...dependencyProblems(service, file.services),
      ...commandProblems(service, surroundings.exists),
    ];
    problems.push(...found.map((problem) => `${name}: ${problem}`));
  }
  try {
    startOrder(file);
  } catch (error) {
    problems.push((error as Error).message);
  }
  return problems;
}

function exampleProblems({ compose, example }: ComposeSurroundings): string[] {
  const lines = [...example.matchAll(/^(#?)([A-Z][A-Z0-9_]*)=(.*)$/gm)];
  const known = new Map(lines.map(([, comment, name, value]) => [name, { comment, value }]));
  const used = interpolationsOf(compose.replace(/^\s*#.*$/gm, ''));
  const problems = [...new Set(used.map(({ name }) => name))]
    .filter((name) => !known.has(name))
    .map((name) => `${name} is not in .env.example`);
  for (const [name = '', { comment, value }] of known) {
    const places = used.filter((place) => place.name === name);
    if (places.length === 0) problems.push(`.env.example names ${name}, which nothing uses`);
    if (places.some(({ kind }) => kind === '?') && (comment !== '' || value !== ''))
      problems.push(`${name} is required: .env.example leaves it empty and not commented out`);
    if (
      SECRET_NAME.test(name) &&
      (value !== '' || places.some(({ kind, argument }) => kind === '-' && argument !== ''))
    )
      problems.push(`${name} has a default, and is a secret`);
  }
  return problems;
}

function imageProblems(service: ComposeService): string[] {
  if (ours(service)) return service.read_only ? [] : ['its root file system can be written'];
  const tag = service.image?.split(':')[1];
  return tag === undefined || !/\d+\.\d+/.test(tag)
    ? [`its image ${service.image ?? ''} is not pinned to a version`]
    : [];
}

function lifeProblems(service: ComposeService): string[] {
  const { limits } = service.deploy?.resources ?? {};
  return [
    ...(service.restart ? [] : ['it has no restart policy']),
    ...(oneShot(service) || service.healthcheck ? [] : ['it has no health check']),
    ...(limits?.cpus && limits.memory ? [] : ['it has no limits of processors and memory']),
    ...(service.logging ? [] : ['its log grows without bound']),
    ...(service.ports ?? [])
      .filter((port) => !/^(\$\{\w+:-)?127\.0\.0\.1:/.test(port))
      .map((port) => `${port} is open to the network unless somebody closes it`),
  ];
}

function environmentProblems(service: ComposeService, settings: readonly string[]): string[] {
  return Object.entries(service.environment ?? {}).flatMap(([name, value]) => {
    const text = String(value);
    const unknown = ours(service) && !settings.includes(name) && !DEMO_NAMES.includes(name);
    const literal = SECRET_NAME.test(name) && !interpolationsOf(text).some(({ kind }) => kind !== '');
    return [
      ...(unknown ? [`${name} is no setting`] : []),
      ...(literal ? [`${name} is a secret and stands in the file`] : []),
    ];
  });
}

function mountProblems(
  service: ComposeService,
  volumes: readonly string[],
  exists: ComposeSurroundings['exists'],
): string[] {
  return (service.volumes ?? []).flatMap((mount) => {
    const source = mount.split(':')[0] ?? '';
    if (!source.startsWith('.')) return volumes.includes(source) ? [] : [`volume ${source} is not declared`];
    if (!mount.endsWith(':ro')) return [`${source} can be written from inside`];
    return exists(source) ? [] : [`${source} is not there`];
  });
}

function dependencyProblems(service: ComposeService, services: Record<string, ComposeService>): string[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([name, { condition }]) => {
    const other = services[name];
    if (other === undefined) return [`it waits for ${name}, which is not there`];
    if (condition === 'service_healthy' && !other.healthcheck) return [`${name} has no health to wait for`];
    if (condition === 'service_completed_successfully' && !oneShot(other)) return [`${name} never ends`];
    return [];
  });
}

/** What our image runs is in the build. */
function commandProblems(service: ComposeService, exists: ComposeSurroundings['exists']): string[] {
  if (!ours(service)) return [];
  const programs = [...(service.command ?? []), ...(service.healthcheck?.test ?? [])].filter((word) =>
    /\.m?js$/.test(word),
  );
  return programs.filter((program) => !exists(program)).map((program) => `${program} is not in the build`);
}
