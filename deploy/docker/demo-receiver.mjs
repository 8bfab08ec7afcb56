// A receiver to try deliveries with: prints every request, and whether its Standard Webhooks signature is right where
// DEMO_ENDPOINT_SECRET (whsec_…) is set. Answers 204, and 401 to what does not verify.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const TOLERANCE_SECONDS = 300;
const secret = process.env.DEMO_ENDPOINT_SECRET ?? '';

function verdict(headers, body) {
  if (secret === '') return 'not verified: DEMO_ENDPOINT_SECRET is not set';
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < TOLERANCE_SECONDS))
    return 'REFUSED: too old or too new';
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const right = signatures.split(' ').some((entry) => {
    const given = Buffer.from(entry.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return right ? 'signature verified' : 'REFUSED: no signature of this secret';
}

const server = createServer(async (request, response) => {
  if (request.url === '/health') return response.writeHead(204).end();
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const outcome = verdict(request.headers, body);
  console.log(
    `${new Date().toISOString()} ${request.headers['webhook-id'] ?? 'no webhook-id'}: ${outcome}\n${body}`,
  );
  response.writeHead(outcome.startsWith('REFUSED') ? 401 : 204).end();
});

server.listen(Number(process.env.PORT ?? 8080), () =>
  console.log(`listening on port ${server.address().port}`),
);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.close(() => process.exit(0)));
