// npm run smoke: one event through the running instance to a receiver of its own and back, its signature verified.
// Plain Node: it checks the product from outside and shares no code with it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { main, PlainError } from './prepare.mjs';

const ARRIVAL_TIMEOUT_MS = 15_000;
const CLOCK_TOLERANCE_S = 300;

await main(async () => {
  const instance = readInstance();
  const receiver = await startReceiver();
  let endpoint;
  try {
    endpoint = await call(instance, 'POST', '/endpoints', {
      url: `http://127.0.0.1:${receiver.port}/smoke`,
      description: 'npm run smoke',
      event_types: ['smoke.test'],
    });
    const data = { number: 9007199254740991, text: 'żółw ✓', at: new Date().toISOString() };
    const sentAt = performance.now();
    const event = await call(instance, 'POST', '/events', {
      type: 'smoke.test',
      data,
      endpoint_ids: [endpoint.id],
    });
    const acceptedMs = performance.now() - sentAt;
    if (event.deliveries !== 1)
      throw new PlainError(`the event has ${event.deliveries} deliveries instead of 1`);
    const request = await receiver.next(ARRIVAL_TIMEOUT_MS);
    verify(request, endpoint.secret, event, data);
    const delivery = await waitForSuccess(instance, event.id);
    const times = `accepted in ${acceptedMs.toFixed(0)} ms, arrived after ${(request.at - sentAt).toFixed(0)} ms`;
    console.log(
      `smoke: event ${event.id} delivered, signature verified, delivery ${delivery.id} succeeded (${times})`,
    );
    console.log(`smoke: its workflow: ${delivery.temporal_url}`);
    console.log('smoke: passed');
  } finally {
    receiver.close();
    if (endpoint) await call(instance, 'DELETE', `/endpoints/${endpoint.id}`);
  }
});

function readInstance() {
  const file = join(resolve(process.env.HOOKSTREAM_DATA_DIR || '.hookstream'), 'instance.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new PlainError(
      `no running instance: ${file} is not there. Start one with npm start (HOOKSTREAM_DATA_DIR chooses which).`,
    );
  }
}

async function call(instance, method, path, body) {
  const answer = await fetch(`${instance.api_url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${instance.api_key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(ARRIVAL_TIMEOUT_MS),
  }).catch((error) => {
    throw new PlainError(
      `${method} ${path}: ${instance.api_url} does not answer (${error.cause?.message ?? error.message})`,
    );
  });
  const text = await answer.text();
  if (!answer.ok) throw new PlainError(`${method} ${path} answered ${answer.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function startReceiver() {
  let arrived;
  const arrival = new Promise((done) => (arrived = done));
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      arrived({ headers: request.headers, body: Buffer.concat(chunks), at: performance.now() });
      response.end();
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: server.address().port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
    next: async (timeoutMs) => {
      const request = await Promise.race([arrival, sleep(timeoutMs, undefined, { ref: false })]);
      if (!request)
        throw new PlainError(
          `nothing arrived at the receiver within ${timeoutMs / 1000} s; the worker's log may say why`,
        );
      return request;
    },
  };
}

/** Standard Webhooks 1.0.0: base64 HMAC-SHA256 of `id.timestamp.body` under the decoded secret. */
function verify({ headers, body }, secret, event, data) {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  if (id !== event.id) throw new PlainError(`webhook-id is ${id} instead of ${event.id}`);
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > CLOCK_TOLERANCE_S)
    throw new PlainError(`webhook-timestamp is ${timestamp}`);
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const matches = (headers['webhook-signature'] ?? '')
    .split(' ')
    .filter((entry) => entry.startsWith('v1,'))
    .map((entry) => Buffer.from(entry.slice(3), 'base64'))
    .some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  if (!matches) throw new PlainError(`the signature does not verify: ${headers['webhook-signature']}`);
  const payload = JSON.parse(body.toString('utf8'));
  if (payload.type !== event.type || JSON.stringify(payload.data) !== JSON.stringify(data)) {
    throw new PlainError(`the payload is not what was sent: ${body.toString('utf8')}`);
  }
}

async function waitForSuccess(instance, eventId) {
  const deadline = Date.now() + ARRIVAL_TIMEOUT_MS;
  for (;;) {
    const { data } = await call(instance, 'GET', `/deliveries?event_id=${eventId}`);
    const delivery = data[0];
    if (delivery?.status === 'succeeded') return call(instance, 'GET', `/deliveries/${delivery.id}`);
    if (Date.now() > deadline)
      throw new PlainError(`the delivery is still ${delivery?.status ?? 'missing'} although it arrived`);
    await sleep(50);
  }
}
