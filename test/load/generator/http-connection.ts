import { connect, type Socket } from 'node:net';

const ANSWER_TIMEOUT_MS = 30_000;
const HEAD_END = '\r\n\r\n';

export interface HttpAnswer {
  status: number;
  body: string;
}

/**
 * One keep-alive HTTP/1.1 connection with one request under way at a time, as cheap as Node allows: the generator shares its machine with
 * what it measures. Understands answers with a `content-length`, which is all that a JSON API gives.
 */
export class HttpConnection {
  private socket: Socket | undefined;
  private received = '';
  private waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;

  constructor(
    private readonly host: string,
    private readonly port: number,
  ) {}

  /** @param text the whole request, one byte a character */
  request(text: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.socket ??= this.open();
      this.socket.write(text, 'latin1');
    });
  }

  close(): void {
    this.socket?.destroy();
  }

  private open(): Socket {
    const socket = connect({ host: this.host, port: this.port, noDelay: true });
    socket.setEncoding('latin1');
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => {
      if (this.waiting) socket.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`));
    });
    socket.on('data', (text: string) => this.receive(text));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the connection was closed')));
    return socket;
  }

  private receive(text: string): void {
    this.received = this.received === '' ? text : this.received + text;
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const length = contentLength(this.received.slice(0, headEnd));
    if (length === undefined) {
      this.socket?.destroy(new Error('an answer without content-length'));
      return;
    }
    const bodyStart = headEnd + HEAD_END.length;
    if (this.received.length < bodyStart + length) return;
    const answer = {
      status: Number(this.received.slice(9, 12)),
      body: this.received.slice(bodyStart, bodyStart + length),
    };
    this.received = '';
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.resolve(answer);
  }

  private fail(error: Error): void {
    this.socket = undefined;
    this.received = '';
    this.waiting?.reject(error);
    this.waiting = undefined;
  }
}

function contentLength(head: string): number | undefined {
  const found = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  return found === undefined ? undefined : Number(found);
}
