import type { Socket } from 'node:net';
import { Client } from 'undici';
import { urlPort } from '@hookstream/domain';
import { AnswerReader, type Answer } from './answer.js';
import { AttemptFault } from './egress-faults.js';
import type { OpeningProgress, SocketOpener, SocketTarget } from './socket-opener.js';

const MAX_HEADER_BYTES = 16 * 1_024;

export interface ConnectionSettings {
  open: SocketOpener;
  connectTimeoutMs: number;
  idleTimeoutMs: number;
}

/** One connection to one origin, opened with its first request. It carries one request at a time. */
export class Connection {
  private client: Client;
  private opening = new AbortController();
  private socket: Socket | undefined;
  private readonly progress: OpeningProgress = { atProxy: false };

  constructor(
    readonly origin: string,
    private readonly settings: ConnectionSettings,
    private readonly onClosed: (connection: Connection) => void,
  ) {
    this.client = this.createClient();
  }

  /** Whether the connection was established. */
  get isOpen(): boolean {
    return this.socket !== undefined && !this.socket.destroyed;
  }

  /** Whether it is our proxy, not the target, that has not been reached yet. */
  get waitsForProxy(): boolean {
    return this.progress.atProxy;
  }

  /** Bytes received so far (of HTTP, not of TLS); unchanged after a request means that no part of an answer came. */
  get bytesRead(): number {
    return this.socket?.bytesRead ?? 0;
  }

  /**
   * POSTs and reads the answer, up to `limitBytes` of its body.
   * @param onStatus told as soon as the headers of the answer are there
   */
  request(
    message: { path: string; headers: string[]; body: Buffer | string },
    limitBytes: number,
    onStatus: (statusCode: number) => void,
  ): Promise<Answer> {
    const { path, headers, body } = message;
    return new Promise((resolve, reject) => {
      // undici's own timers count in seconds; the caller destroys the connection at its deadline instead
      this.client.dispatch(
        { path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 },
        new AnswerReader(limitBytes, onStatus, resolve, reject),
      );
    });
  }

  /** Drops what is there, so that the next request opens a new connection. */
  renew(): void {
    this.destroy(new AttemptFault('connection_error', 'the connection was given up'));
    this.socket = undefined;
    this.opening = new AbortController();
    this.client = this.createClient();
  }

  /** Closes at once, also while still connecting; a request under way fails with the error. */
  destroy(error: Error): void {
    this.opening.abort(error);
    // the request gets the error; the promise only says when closing is over
    this.client.destroy(error).catch(() => undefined);
  }

  private createClient(): Client {
    const { signal } = this.opening;
    const client = new Client(this.origin, {
      pipelining: 1,
      maxHeaderSize: MAX_HEADER_BYTES,
      keepAliveTimeout: this.settings.idleTimeoutMs,
      // a receiver may ask for a shorter time, not for a longer one
      keepAliveMaxTimeout: this.settings.idleTimeoutMs,
      connect: (_options, callback) => {
        this.openSocket(signal).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        );
      },
    });
    client.on('disconnect', () => {
      if (client === this.client) this.onClosed(this);
    });
    return client;
  }

  private async openSocket(destroyed: AbortSignal): Promise<Socket> {
    const target = targetOf(this.origin);
    const limit = new AbortController();
    const { connectTimeoutMs } = this.settings;
    const timer = setTimeout(() => {
      limit.abort(
        new AttemptFault('timeout', `no connection to ${target.hostname} within ${connectTimeoutMs} ms`),
      );
    }, connectTimeoutMs);
    try {
      const socket = await this.settings.open(
        target,
        AbortSignal.any([destroyed, limit.signal]),
        this.progress,
      );
      if (!destroyed.aborted) this.socket = socket;
      return socket;
    } finally {
      clearTimeout(timer);
    }
  }
}

function targetOf(origin: string): SocketTarget {
  const url = new URL(origin);
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: urlPort(url),
    secure: url.protocol === 'https:',
  };
}
