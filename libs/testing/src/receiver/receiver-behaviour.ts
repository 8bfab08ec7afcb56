/** What a receiver does with a request. */
export type ReceiverBehaviour =
  | {
      kind?: 'respond';
      /** Default 200. */
      status?: number;
      headers?: Record<string, string>;
      body?: string | Buffer;
      /** Before the first byte of the answer. */
      delayMs?: number;
    }
  /** Takes the request and never answers. */
  | { kind: 'hang' }
  /** Breaks the connection with a TCP reset, after the request was read. */
  | { kind: 'reset' }
  /** Answers with a body that never ends. */
  | { kind: 'endless'; status?: number; chunkBytes?: number; intervalMs?: number }
  /** Promises a body and closes the connection half way through it. */
  | { kind: 'truncate'; status?: number }
  /** Answers with something that is not HTTP. */
  | { kind: 'garbage' };

export interface ReceivedRequest {
  method: string;
  /** Path and query as sent. */
  path: string;
  headers: Record<string, string>;
  /** The raw bytes. */
  body: Buffer;
  /** Unix ms when the body was complete. */
  receivedAt: number;
  /** Unix ms when it was answered or the connection broke; absent until then. */
  endedAt?: number;
  /** The status of a whole answer. */
  answered?: number;
  /** 1-based count of requests to this path. */
  number: number;
}

export type Script =
  | ReceiverBehaviour
  /** One per request in turn; the last one stays. */
  | ReceiverBehaviour[]
  | ((request: ReceivedRequest) => ReceiverBehaviour | Promise<ReceiverBehaviour>);

/** The behaviour for a request by its script; without one, a plain 200. */
export async function chooseBehaviour(
  script: Script | undefined,
  request: ReceivedRequest,
): Promise<ReceiverBehaviour> {
  if (script === undefined) return {};
  if (typeof script === 'function') return script(request);
  if (!Array.isArray(script)) return script;
  return script[Math.min(request.number, script.length) - 1] ?? {};
}
