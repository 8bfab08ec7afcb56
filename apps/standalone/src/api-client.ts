import { setTimeout as sleep } from 'node:timers/promises';

const REQUEST_TIMEOUT_MS = 10_000;

export interface FirstTenant {
  tenant_id: string;
  api_key: string;
}

/** Resolves when the API says that it and all it needs are ready. `isRunning` false ends the wait. */
export async function waitUntilReady(
  apiUrl: string,
  timeoutMs: number,
  isRunning: () => boolean,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = 'it does not answer';
  for (;;) {
    try {
      const answer = await fetch(`${apiUrl}/api/v1/health/ready`, {
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      const text = await answer.text();
      if (answer.ok) return;
      last = `status ${answer.status}: ${text.slice(0, 500)}`;
    } catch (error) {
      last = (error as Error).message;
    }
    if (!isRunning()) throw new Error('it ended while starting');
    if (Date.now() > deadline) throw new Error(`not ready after ${timeoutMs / 1000} s (${last})`);
    await sleep(100);
  }
}

/** Whether the key opens the API. */
export async function isKeyValid(apiUrl: string, apiKey: string): Promise<boolean> {
  const answer = await fetch(`${apiUrl}/api/v1/endpoints?limit=1`, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  await answer.arrayBuffer();
  return answer.status !== 401;
}

export async function createTenant(apiUrl: string, adminToken: string, name: string): Promise<FirstTenant> {
  const answer = await fetch(`${apiUrl}/api/v1/tenants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await answer.text();
  if (!answer.ok)
    throw new Error(`the first tenant could not be made: status ${answer.status}: ${text.slice(0, 500)}`);
  const tenant = JSON.parse(text) as { id: string; api_key: string };
  return { tenant_id: tenant.id, api_key: tenant.api_key };
}
