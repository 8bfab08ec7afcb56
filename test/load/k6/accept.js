// Posts events to an installation at a constant arrival rate, whether or not it keeps up (an open model): what a stall costs shows in the
// times of all requests behind it. For k6 (https://grafana.com/docs/k6), not for Node:
//
//   k6 run -e API=https://hookstream.example.com -e KEY=hs_live_… -e RATE=500 -e DURATION=2m test/load/k6/accept.js
//
// Every setting is in docs/benchmarks.md. Make the endpoints that are to get the events first, or none to measure accepting alone.
import { check } from 'k6';
import http from 'k6/http';
import { Counter } from 'k6/metrics';

const API = __ENV.API || 'http://127.0.0.1:3000';
const KEY = __ENV.KEY;
const TYPE = __ENV.TYPE || 'bench.k6';
const BYTES = Number(__ENV.BYTES || 1024);
const RATE = Number(__ENV.RATE || 100);
const P95_MS = Number(__ENV.P95_MS || 50);

const postponed = new Counter('postponed');
const filling = 'x'.repeat(Math.max(0, BYTES - 90 - TYPE.length));

export const options = {
  scenarios: {
    accept: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: __ENV.DURATION || '1m',
      preAllocatedVUs: Number(__ENV.CONNECTIONS || 64),
      maxVUs: Number(__ENV.MAX_CONNECTIONS || 1000),
    },
  },
  thresholds: {
    // accepted, or the run fails; iterations that found no free connection count as dropped
    checks: ['rate>0.999'],
    dropped_iterations: ['count==0'],
    http_req_duration: [`p(95)<${P95_MS}`],
  },
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
};

export function setup() {
  if (!KEY) throw new Error('set KEY to an API key with the scope events:write');
}

export default function () {
  const id = `${__VU}-${__ITER}`;
  const answer = http.post(`${API}/api/v1/events`, JSON.stringify({ type: TYPE, data: { id, filling } }), {
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
  });
  // 429: the tenant is over its rate; 503: too much waits to be stored
  if (answer.status === 429 || answer.status === 503) postponed.add(1);
  check(answer, { accepted: ({ status }) => status === 202 });
}
