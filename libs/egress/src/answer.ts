import type { Dispatcher } from 'undici';

/** What a receiver answered. */
export interface Answer {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  /** As text, as far as it was read. Bytes that are not UTF-8, and NUL, which Postgres cannot store, are U+FFFD. */
  text: string;
  /** Whether the body went on: the rest is never read, so the connection cannot carry another request. */
  truncated: boolean;
}

/** Reads one answer, up to `limitBytes` of its body, and settles with it: a stream would cost more than all that is read. */
export class AnswerReader implements Dispatcher.DispatchHandler {
  private statusCode = 0;
  private headers: Answer['headers'] = {};
  private readonly chunks: Buffer[] = [];
  private size = 0;

  constructor(
    private readonly limitBytes: number,
    private readonly onStatus: (statusCode: number) => void,
    private readonly resolve: (answer: Answer) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  onRequestStart(): void {
    // nothing to prepare; who gives up destroys the connection
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Answer['headers'],
  ): void {
    // an interim answer is not the answer
    if (statusCode < 200) return;
    this.statusCode = statusCode;
    this.headers = headers;
    this.onStatus(statusCode);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const room = this.limitBytes - this.size;
    // what comes after the limit was passed is on its way to a connection that is being closed
    if (room < 0) return;
    this.size += chunk.length;
    this.chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    if (this.size > this.limitBytes) this.settle(true);
  }

  onResponseEnd(): void {
    this.settle(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.reject(error);
  }

  private settle(truncated: boolean): void {
    const { statusCode, headers, chunks } = this;
    this.resolve({ statusCode, headers, text: textOf(chunks, truncated), truncated });
  }
}

function textOf(chunks: readonly Buffer[], truncated: boolean): string {
  const [first] = chunks;
  if (first === undefined) return '';
  const bytes = chunks.length === 1 ? first : Buffer.concat(chunks);
  // streaming mode leaves out a character that the limit cut in two
  const text = new TextDecoder().decode(bytes, { stream: truncated });
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text;
}
