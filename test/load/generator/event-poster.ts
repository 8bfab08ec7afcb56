import { HttpConnection } from './http-connection.js';

/** Of the JSON around the filling of an event, roughly: the whole body is then `size` bytes. */
const ENVELOPE_BYTES = 80;
/** The number in a body is padded to this, so that all bodies are of one length. */
const NUMBER_WIDTH = 9;

export interface PosterOptions {
  /** `http://host:port` */
  origin: string;
  path: string;
  apiKey: string;
  /** Event type of what is posted. */
  type: string;
  /** Of a body, about, in bytes. */
  size: number;
  connections: number;
}

/** Posts events over keep-alive connections, one at a time on each; whoever finds none free waits for one. */
export class EventPoster {
  private readonly connections: HttpConnection[];
  private readonly free: HttpConnection[];
  private readonly waiting: ((connection: HttpConnection) => void)[] = [];
  private readonly before: string;
  private readonly after: string;

  constructor(options: PosterOptions) {
    const { hostname, port, host } = new URL(options.origin);
    this.connections = Array.from(
      { length: options.connections },
      () => new HttpConnection(hostname, Number(port)),
    );
    this.free = [...this.connections];
    const [beginning, end] = bodyParts(options.type, options.size);
    const head = [
      `POST ${options.path} HTTP/1.1`,
      `host: ${host}`,
      `authorization: Bearer ${options.apiKey}`,
      'content-type: application/json',
      `content-length: ${beginning.length + NUMBER_WIDTH + end.length}`,
    ];
    this.before = `${head.join('\r\n')}\r\n\r\n${beginning}`;
    this.after = end;
  }

  /**
   * Posts the event with this number.
   * @returns its id, which its receiver sees as `webhook-id`; nothing where the answer names none.
   */
  async post(number: number): Promise<string> {
    const connection =
      this.free.pop() ?? (await new Promise<HttpConnection>((resolve) => this.waiting.push(resolve)));
    try {
      const { status, body } = await connection.request(
        this.before + String(number).padEnd(NUMBER_WIDTH) + this.after,
      );
      if (status < 200 || status > 299) throw new Error(`answered ${status}: ${body.slice(0, 300)}`);
      return idOf(body);
    } finally {
      const next = this.waiting.shift();
      if (next) next(connection);
      else this.free.push(connection);
    }
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}

/** The body of an event, about `size` bytes long. */
export function eventBody(type: string, number: number, size: number): string {
  return bodyParts(type, size).join(String(number).padEnd(NUMBER_WIDTH));
}

function bodyParts(type: string, size: number): [beginning: string, end: string] {
  const filling = 'x'.repeat(Math.max(0, size - ENVELOPE_BYTES - type.length));
  return [`{"type":"${type}","data":{"number":`, `,"note":"made by the bench","filling":"${filling}"}}`];
}

function idOf(answer: string): string {
  const id = /"id":"([^"]+)"/.exec(answer)?.[1];
  if (id === undefined) return '';
  if (!answer.includes('"deliveries":1,'))
    throw new Error(`not one endpoint wanted the event: ${answer.slice(0, 300)}`);
  return id;
}
