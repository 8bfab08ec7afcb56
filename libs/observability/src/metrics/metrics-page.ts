import { createHash, timingSafeEqual } from 'node:crypto';
import { Registry } from 'prom-client';

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;
const SDK_TIMEOUT_MS = 2_000;

/** Tells whether an `Authorization` header may read the metrics. Without a token anybody may. */
export function metricsGuard(token: string | undefined): (authorization: string | undefined) => boolean {
  if (token === undefined) return () => true;
  const wanted = digest(`Bearer ${token}`);
  return (authorization) => timingSafeEqual(digest(authorization ?? ''), wanted);
}

/** The page of another exporter of this process, such as Temporal's SDK has; empty while it does not answer. */
export async function pageOf(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(SDK_TIMEOUT_MS) });
    return response.ok ? await response.text() : '';
  } catch {
    return '';
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
