import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

// Below the range from which systems take ports of outgoing connections (Linux: 32768 and up), so that a server that
// is started again on its old port does not find it taken by one of our own outgoing requests.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 200;

/** A TCP port that nothing listens on, on the loopback address. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/** Several different free TCP ports. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  try {
    for (let tries = 0; ports.length < count; tries++) {
      if (tries > TRIES + count) throw new Error(`found no free port between ${LOWEST} and ${HIGHEST}`);
      const port = randomInt(LOWEST, HIGHEST);
      const server = await listen(port);
      if (!server) continue;
      held.push(server);
      ports.push(port);
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
  }
  return ports;
}

/** Whether the port can be listened on now. `host` defaults to every address of the machine. */
export async function isPortFree(port: number, host?: string): Promise<boolean> {
  const server = await listen(port, host);
  if (!server) return false;
  await new Promise((done) => server.close(done));
  return true;
}

function listen(port: number, host: string | undefined = '127.0.0.1'): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}
