import type { ReceivedRequest } from '@hookstream/testing';
import { Webhook } from 'standardwebhooks';
import { told } from '../../chaos/promises/told.js';

/** What was broken of: every request verifies, by the package that receivers use. In plain words. */
export function signatureFaults(
  requests: readonly ReceivedRequest[],
  secrets: ReadonlyMap<string, string>,
): string[] {
  const verifiers = new Map([...secrets].map(([name, secret]) => [`/${name}`, new Webhook(secret)]));
  const wrong = requests.flatMap(({ path, body, headers }) => {
    try {
      verifiers.get(path)?.verify(body, headers);
      return [];
    } catch (error) {
      return [`${headers['webhook-id']} to ${path}: ${(error as Error).message}`];
    }
  });
  return told('signatures that do not verify', wrong);
}
