import { Connection, type ConnectionSettings } from './connection.js';

export interface PoolSettings extends ConnectionSettings {
  maxConnections: number;
  maxConnectionsPerOrigin: number;
}

interface Waiter {
  resolve(connection: Connection): void;
  reject(error: Error): void;
}

interface OriginSlots {
  open: number;
  /** Last used at the end: it is the least likely to have been closed by the receiver. */
  idle: Connection[];
  waiters: Set<Waiter>;
}

/**
 * Hands out connections and bounds them, idle ones included, per origin and in all. When the total is reached, the idle
 * connection unused for longest makes room. Who must wait is served origin by origin in turn, so that a slow origin's
 * queue holds up no other.
 */
export class ConnectionPool {
  private readonly origins = new Map<string, OriginSlots>();
  /** Origins with waiters, next to be served first. */
  private readonly waiting = new Set<string>();
  /** Idle connections of all origins, unused for longest first. */
  private readonly idle = new Set<Connection>();
  private open = 0;
  private closing: Promise<void> | undefined;
  private onEmpty = () => {};

  constructor(private readonly settings: PoolSettings) {}

  /** A connection that is the caller's until {@link release}. @throws the signal's reason when aborted while waiting */
  acquire(origin: string, signal?: AbortSignal): Connection | Promise<Connection> {
    signal?.throwIfAborted();
    if (this.closing) throw new Error('the egress client is closed');
    const slots = this.slotsOf(origin);
    const connection = slots.waiters.size === 0 ? this.take(origin, slots) : undefined;
    return connection ?? this.wait(origin, slots, signal);
  }

  /** Takes a connection back; one that cannot be used again is closed. */
  release(connection: Connection, reusable: boolean): void {
    if (reusable && connection.isOpen && !this.closing) {
      this.slotsOf(connection.origin).idle.push(connection);
      this.idle.add(connection);
    } else {
      this.drop(connection);
    }
    this.serve();
  }

  /** Refuses who waits, closes what is idle and resolves when the last connection was released. */
  close(): Promise<void> {
    this.closing ??= new Promise((resolve) => {
      this.onEmpty = resolve;
      for (const origin of this.waiting) {
        for (const waiter of this.slotsOf(origin).waiters)
          waiter.reject(new Error('the egress client is closed'));
      }
      this.waiting.clear();
      for (const connection of this.idle) this.drop(connection);
      if (this.open === 0) resolve();
    });
    return this.closing;
  }

  private slotsOf(origin: string): OriginSlots {
    let slots = this.origins.get(origin);
    if (!slots) {
      slots = { open: 0, idle: [], waiters: new Set() };
      this.origins.set(origin, slots);
    }
    return slots;
  }

  private take(origin: string, slots: OriginSlots): Connection | undefined {
    const kept = slots.idle.pop();
    if (kept) {
      this.idle.delete(kept);
      return kept;
    }
    if (slots.open >= this.settings.maxConnectionsPerOrigin) return undefined;
    if (this.open >= this.settings.maxConnections) {
      const [unused] = this.idle;
      if (!unused) return undefined;
      this.drop(unused);
    }
    slots.open++;
    this.open++;
    return new Connection(origin, this.settings, (connection) => this.closedByReceiver(connection));
  }

  private wait(origin: string, slots: OriginSlots, signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        slots.waiters.delete(waiter);
        if (slots.waiters.size === 0) this.waiting.delete(origin);
        signal?.removeEventListener('abort', aborted);
        this.forgetIfUnused(origin, slots);
      };
      const aborted = () => waiter.reject(signal?.reason as Error);
      const waiter: Waiter = {
        resolve: (connection) => (leave(), resolve(connection)),
        reject: (error) => (leave(), reject(error)),
      };
      slots.waiters.add(waiter);
      this.waiting.add(origin);
      signal?.addEventListener('abort', aborted);
    });
  }

  /** Gives free slots to who waits: one each per origin, an origin that was served goes to the end of the line. */
  private serve(): void {
    for (const origin of this.waiting) {
      const slots = this.slotsOf(origin);
      const connection = this.take(origin, slots);
      if (connection) {
        const [waiter] = slots.waiters;
        waiter?.resolve(connection);
        this.waiting.delete(origin);
        // a Set's iteration comes to what is added while it runs
        if (slots.waiters.size > 0) this.waiting.add(origin);
      } else if (this.open >= this.settings.maxConnections && this.idle.size === 0) {
        return;
      }
    }
  }

  private closedByReceiver(connection: Connection): void {
    // one in use is dropped by its release
    if (!this.idle.has(connection)) return;
    this.drop(connection);
    this.serve();
  }

  private drop(connection: Connection): void {
    const slots = this.slotsOf(connection.origin);
    if (this.idle.delete(connection)) slots.idle.splice(slots.idle.indexOf(connection), 1);
    slots.open--;
    this.open--;
    connection.destroy(new Error('the connection is no longer needed'));
    this.forgetIfUnused(connection.origin, slots);
    if (this.closing && this.open === 0) this.onEmpty();
  }

  private forgetIfUnused(origin: string, slots: OriginSlots): void {
    if (slots.open === 0 && slots.waiters.size === 0 && this.origins.get(origin) === slots)
      this.origins.delete(origin);
  }
}
