import type { ReceivedDelivery } from './delivery-listener.js';

/**
 * What a person wants to see of a request.
 * @param problem why it does not verify; undefined: it does
 * @param seen the message ids that came before; this one's is added
 */
export function describeReceived(
  { method, path, headers, body, answered, at }: ReceivedDelivery,
  problem: string | undefined,
  seen: Set<string>,
  withBody: boolean,
): string[] {
  const id = headers['webhook-id'];
  const again = id !== undefined && seen.has(id) ? ', came before' : '';
  if (id !== undefined) seen.add(id);
  const attempt = headers['hookstream-attempt'];
  return [
    `${at.toISOString()}  ${method} ${path}  ${body.length} bytes  answered ${answered}`,
    `  ${problem === undefined ? 'verified' : `NOT VERIFIED: ${problem}`}`,
    `  webhook-id  ${id ?? 'none'}${again}`,
    ...(attempt === undefined
      ? []
      : [`  delivery    ${headers['hookstream-delivery-id'] ?? 'none'}, attempt ${attempt}`]),
    ...(withBody ? [`  ${printable(body)}`] : []),
  ];
}

/** Of what a stranger sent, nothing that would steer a terminal. */
function printable(body: Buffer): string {
  return body.toString('utf8').replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}
