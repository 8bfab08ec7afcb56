import { createServer, type Server, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 64 * 1024;

/** A request as far as a sink cares for it. */
export interface RawRequest {
  path: string;
  /** Names in lower case. */
  headers: Record<string, string>;
}

export interface RawReceiver {
  /** Told when the head of a request is there. @returns whether the body is wanted */
  begin(request: RawRequest): boolean;
  /**
   * Told when the body is there too, which is empty where it was not wanted.
   * @param answer to be called once, now or later; the body of the answer is empty
   */
  end(request: RawRequest, body: Buffer, answer: (status: number) => void): void;
}

/**
 * As much of HTTP/1.1 as receiving webhooks takes, and no more, so that the receiver leaves the machine to what is measured: requests with a
 * `content-length`, one at a time on a connection, which is kept.
 */
export function createRawHttpServer(receiver: RawReceiver): { server: Server; closeConnections: () => void } {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const reader = new RequestReader(receiver, socket);
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
  });
  return { server, closeConnections: () => sockets.forEach((socket) => socket.destroy()) };
}

class RequestReader {
  private head: Buffer | undefined;
  private request: RawRequest | undefined;
  private missing = 0;
  private body: Buffer[] | undefined;

  constructor(
    private readonly receiver: RawReceiver,
    private readonly socket: Socket,
  ) {}

  read(chunk: Buffer): void {
    if (this.request === undefined) this.readHead(chunk);
    else this.readBody(this.request, chunk);
  }

  private readHead(chunk: Buffer): void {
    const head = this.head === undefined ? chunk : Buffer.concat([this.head, chunk]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      this.head = head;
      if (head.length > MAX_HEAD_BYTES) this.socket.destroy();
      return;
    }
    this.head = undefined;
    const request = parseHead(head.toString('latin1', 0, end));
    if (request.headers['transfer-encoding'] !== undefined) {
      this.socket.end('HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    this.request = request;
    this.missing = Number(request.headers['content-length'] ?? 0);
    this.body = this.receiver.begin(request) ? [] : undefined;
    this.readBody(request, head.subarray(end + HEAD_END.length));
  }

  private readBody(request: RawRequest, chunk: Buffer): void {
    this.missing -= chunk.length;
    this.body?.push(chunk);
    if (this.missing > 0) return;
    const body = this.body === undefined ? Buffer.alloc(0) : Buffer.concat(this.body);
    this.request = undefined;
    this.body = undefined;
    this.receiver.end(request, body, (status) => {
      if (this.socket.writable)
        this.socket.write(`HTTP/1.1 ${status} -\r\ncontent-length: 0\r\n\r\n`, 'latin1');
    });
  }
}

function parseHead(head: string): RawRequest {
  const lines = head.split('\r\n');
  const headers: Record<string, string> = {};
  for (let index = 1; index < lines.length; index++) {
    const line = lines[index] as string;
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { path: (lines[0] as string).split(' ', 2)[1] ?? '/', headers };
}
