import { connect } from 'node:net';
import type { DatabaseConfig, EgressConfig } from '@hookstream/config';
import { checkEndpointUrl } from '@hookstream/domain';
import { createAddressGuard } from '@hookstream/egress';
import { InstallationRepository, openDatabase, type EnabledEndpoint } from '@hookstream/persistence';
import type { ReadableSettings } from './examine.js';
import { failed, looked, ok, skipped, someOf, warning, type Finding } from './finding.js';

const PROXY_TIMEOUT_MS = 5_000;
const ENDPOINTS_LOOKED_AT = 10_000;
/** Wider than any network of one's own. */
const WIDEST_PREFIX = 8;

/** Where requests may go: whether the settings mean what somebody wants them to. */
export async function examineEgress({ worker, database }: ReadableSettings): Promise<Finding[]> {
  if (worker === undefined)
    return [skipped('egress', 'the settings of the worker are not sound, or not looked at')];
  const { egress } = worker;
  return [
    await looked('egress addresses', async () => examineAddresses(egress)),
    await looked('egress proxy', () => examineProxy(egress)),
    ...(database === undefined ? [] : await examineEndpoints(egress, database)),
  ];
}

function examineAddresses({ allowCidrs, schemes }: EgressConfig): Finding {
  try {
    createAddressGuard(allowCidrs);
  } catch (error) {
    return failed(
      'egress addresses',
      (error as Error).message,
      'Correct that entry: the worker does not start with it.',
    );
  }
  const wide = allowCidrs.filter((cidr) => Number(cidr.split('/')[1]) < WIDEST_PREFIX);
  if (wide.length > 0)
    return failed(
      'egress addresses',
      `${wide.join(', ')} in HOOKSTREAM_EGRESS_ALLOW_CIDRS lets any tenant reach nearly every private address`,
      'Name the ranges that your receivers are in, no more; public addresses need no entry.',
    );
  if (schemes.includes('http'))
    return warning(
      'egress addresses',
      'endpoints may have http URLs: payloads can be read on the way',
      'HOOKSTREAM_EGRESS_SCHEMES=https, unless all receivers are on a network of your own.',
    );
  return ok(
    'egress addresses',
    allowCidrs.length === 0 ? 'public addresses only' : `public, and ${allowCidrs.join(', ')}`,
  );
}

async function examineProxy({ proxyUrl }: EgressConfig): Promise<Finding> {
  if (proxyUrl === undefined) return ok('egress proxy', 'none: deliveries go out directly');
  const { hostname, port, protocol } = new URL(proxyUrl);
  const place = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
  };
  const problem = await connectTo(place);
  if (problem === undefined) return ok('egress proxy', `${place.host}:${place.port} takes connections`);
  return failed(
    'egress proxy',
    `${place.host}:${place.port} takes no connections (${problem}): nothing can be delivered`,
    'Start the proxy, or correct HOOKSTREAM_EGRESS_PROXY_URL.',
  );
}

function connectTo(place: { host: string; port: number }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, timeout: PROXY_TIMEOUT_MS });
    const end = (problem?: string) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** Says nothing where Postgres cannot be examined: that is told elsewhere. */
async function examineEndpoints(egress: EgressConfig, { url }: DatabaseConfig): Promise<Finding[]> {
  let endpoints: EnabledEndpoint[];
  try {
    const database = await openDatabase({ url, poolSize: 1, applicationName: 'hookstream-doctor' });
    endpoints = await new InstallationRepository(database.pool)
      .enabledEndpoints(ENDPOINTS_LOOKED_AT)
      .finally(() => database.close());
  } catch {
    return [skipped('endpoints', 'Postgres or its schema is not there')];
  }
  return [await looked('endpoints', async () => judgeEndpoints(endpoints, egress))];
}

function judgeEndpoints(endpoints: readonly EnabledEndpoint[], egress: EgressConfig): Finding {
  const guard = createAddressGuard(egress.allowCidrs);
  const blocked = endpoints.filter(
    ({ url }) => checkEndpointUrl(url, egress).length > 0 || guardRefuses(guard, new URL(url).hostname),
  );
  if (blocked.length === 0)
    return ok('endpoints', `the settings let all of ${endpoints.length} enabled endpoints be reached`);
  return failed(
    'endpoints',
    `${blocked.length} of ${endpoints.length} enabled endpoints may not be sent to: ${someOf(
      blocked.map(({ id }) => id),
      3,
    )}`,
    'Allow them with HOOKSTREAM_EGRESS_SCHEMES, HOOKSTREAM_EGRESS_PORTS or HOOKSTREAM_EGRESS_ALLOW_CIDRS, or have their tenants change them; each of their attempts ends as blocked_address.',
  );
}

/** Only where the host is an address: names are looked up when they are sent to. */
function guardRefuses(guard: ReturnType<typeof createAddressGuard>, hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  return /^[\d.]+$|:/.test(address) && guard(address) !== undefined;
}
