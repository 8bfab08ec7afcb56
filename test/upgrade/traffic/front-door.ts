import type { ApiAddress, ApiAnswer, ApiCaller } from '../../e2e/api-client.js';
import { callApi } from '../../e2e/api-client.js';
import type { PostedTo } from '../../e2e/event-poster.js';

/** What a load balancer is to callers: one API after the other of those that are open at the moment. */
export class FrontDoor implements PostedTo, ApiCaller {
  private readonly urls: string[] = [];
  private turn = 0;

  constructor(private readonly apiKey: string) {}

  /** Where the next request goes. */
  get file(): ApiAddress {
    const url = this.urls[this.turn++ % this.urls.length];
    if (url === undefined) throw new Error('no API is open');
    return { api_url: url, api_key: this.apiKey };
  }

  open(url: string): void {
    this.urls.push(url);
  }

  /** From now on nothing goes to this one. */
  shut(url: string): void {
    this.urls.splice(this.urls.indexOf(url), 1);
  }

  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T>> {
    return callApi<T>(this.file, method, path, body);
  }
}
