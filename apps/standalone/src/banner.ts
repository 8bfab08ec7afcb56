export interface BannerFacts {
  apiUrl: string;
  temporalUiUrl: string;
  apiKey: string;
  allowCidrs: string[];
  schemes: string[];
  dataDirectory: string;
  logs: string;
  startedInMs: number;
}

const RECEIVER_PORT = 9000;

/** What the terminal shows once everything runs. The commands in it work as printed, in any shell. */
export function banner(facts: BannerFacts): string {
  const auth = `-H 'Authorization: Bearer ${facts.apiKey}' -H 'Content-Type: application/json'`;
  const receiver = `node -e 'require("http").createServer((q,s)=>{console.log(q.method,q.url,q.headers);q.pipe(process.stdout);q.on("end",()=>s.end())}).listen(${RECEIVER_PORT},"127.0.0.1")'`;
  return `
Hookstream is ready (${(facts.startedInMs / 1000).toFixed(1)} s).

  API              ${facts.apiUrl}/api/v1
  API docs         ${facts.apiUrl}/docs
  Temporal Web UI  ${facts.temporalUiUrl}/namespaces/hookstream/workflows
  API key          ${facts.apiKey}
  Deliveries to    public addresses${facts.allowCidrs.length > 0 ? ` and ${facts.allowCidrs.join(', ')}` : ''} over ${facts.schemes.join(' and ')}
                   (HOOKSTREAM_EGRESS_ALLOW_CIDRS=${facts.allowCidrs.join(',')})
  Data             ${facts.dataDirectory}
  Logs             ${facts.logs}

Try it. In a second shell, a receiver that prints what arrives:

${receiver}

In a third, send it events of every type, then one event:

curl -sS ${facts.apiUrl}/api/v1/endpoints ${auth} -d '{"url":"http://127.0.0.1:${RECEIVER_PORT}/"}'
curl -sS ${facts.apiUrl}/api/v1/events ${auth} -d '{"type":"order.paid","data":{"order_id":"o-1"}}'

Or let npm run smoke do all of it. Ctrl-C stops everything; the data stays.
`;
}
