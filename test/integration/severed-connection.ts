import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP server before another, whose connections can be severed and restored: a server that is away. */
export class SeveredConnection {
  private readonly sockets = new Set<Socket>();
  private severed = false;

  private constructor(private readonly server: Server) {}

  /** @param target `host:port` */
  static async before(target: string): Promise<SeveredConnection> {
    const [host, port] = target.split(':') as [string, string];
    const server = createServer();
    const connection = new SeveredConnection(server);
    server.on('connection', (socket) => connection.join(socket, connect(Number(port), host)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return connection;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  sever(): void {
    this.severed = true;
    for (const socket of this.sockets) socket.destroy();
  }

  restore(): void {
    this.severed = false;
  }

  async close(): Promise<void> {
    this.sever();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(near: Socket, far: Socket): void {
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    if (this.severed) near.destroy();
  }
}
