import { CommandError } from '../cli-context.js';

const ANSWER_TIMEOUT_MS = 10_000;

interface ApiAnswer {
  id?: string;
  secret?: string;
  detail?: string;
  errors?: { field: string; message: string }[];
}

/** An endpoint that lives as long as somebody listens. */
export class TemporaryEndpoint {
  private constructor(
    private readonly api: { url: string; key: string },
    readonly id: string,
    readonly secret: string,
  ) {}

  /** @throws CommandError with the API's own words */
  static async create(options: {
    apiUrl: string;
    apiKey: string;
    url: string;
    eventTypes: readonly string[];
  }): Promise<TemporaryEndpoint> {
    const api = { url: options.apiUrl.replace(/\/$/, ''), key: options.apiKey };
    const { id, secret } = await call(api, 'POST', '/endpoints', {
      url: options.url,
      description: 'hookstream listen',
      event_types: options.eventTypes,
    });
    if (id === undefined || secret === undefined)
      throw new CommandError(`what answers at ${api.url} is not the API of Hookstream`);
    return new TemporaryEndpoint(api, id, secret);
  }

  async remove(): Promise<void> {
    await call(this.api, 'DELETE', `/endpoints/${this.id}`);
  }
}

async function call(
  api: { url: string; key: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer> {
  const response = await fetch(`${api.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new CommandError(`the API does not answer at ${api.url}: ${reasonOf(error)}`);
  });
  const answer = (await response.json().catch(() => ({}))) as ApiAnswer;
  if (response.ok) return answer;
  const fields = (answer.errors ?? []).map(({ field, message }) => `${field} ${message}`);
  throw new CommandError(
    `the API answered ${response.status} to ${method} ${path}: ${[answer.detail ?? '', ...fields].join(' ').trim()}`,
  );
}

function reasonOf(error: unknown): string {
  const cause = (error as Error).cause;
  return cause instanceof Error
    ? cause.message || String((cause as { code?: string }).code)
    : (error as Error).message;
}
