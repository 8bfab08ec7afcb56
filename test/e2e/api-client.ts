/** Where an API is, and the key of the tenant that speaks to it. */
export interface ApiAddress {
  api_url: string;
  api_key: string;
}

export interface ApiAnswer<T> {
  status: number;
  body: T;
}

/** Whoever calls an API as a tenant: an instance for its own first tenant, or a client of one. `path` is below `/api/v1`. */
export interface ApiCaller {
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>>;
}

const ANSWER_TIMEOUT_MS = 15_000;

/** @throws when there is no answer; a status is an answer, whichever it is */
export async function callApi<T>(
  { api_url, api_key }: ApiAddress,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer<T>> {
  const answer = await fetch(`${api_url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${api_key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
}

/** A tenant of an installation. */
export class TenantClient implements ApiCaller {
  constructor(readonly file: ApiAddress) {}

  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>> {
    return callApi<T>(this.file, method, path, body);
  }
}
