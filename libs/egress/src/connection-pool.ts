import { Connection, type ConnectionSettings } from './connection.js';
import { onAbort } from './on-abort.js';

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
  /** How many each owner holds; those without any are absent. */
  held: Map<string, number>;
  /** By owner, the next to be served first. */
  waiters: Map<string, Set<Waiter>>;
}

/** An owner may hold at most this many times the connections to its origin that nobody holds: two thirds of them where it is alone. */
const OWNER_SHARE = 2;

/**
 * Hands out connections and bounds them, idle ones included, per origin and in all. When the total is reached, the idle
 * connection unused for longest makes room. Who must wait is served origin by origin in turn, so that a slow origin's
 * queue holds up no other. Of one origin's connections no owner gets so many that none is left for another: behind
 * one host there can be endpoints of many tenants, and some of them may be slow.
 */
export class ConnectionPool {
  private readonly origins = new Map<string, OriginSlots>();
  /** Origins with waiters, next to be served first. */
  private readonly waiting = new Set<string>();
  /** Idle connections of all origins, unused for longest first. */
  private readonly idle = new Set<Connection>();
  /** Who holds each connection that is not idle. */
  private readonly owners = new Map<Connection, string>();
  private open = 0;
  private closing: Promise<void> | undefined;
  private onEmpty = () => {};

  constructor(private readonly settings: PoolSettings) {}

  /**
   * A connection that is the caller's until {@link release}.
   * @param owner on whose behalf: an endpoint
   * @throws the signal's reason when aborted while waiting
   */
  acquire(origin: string, owner: string, signal?: AbortSignal): Connection | Promise<Connection> {
    signal?.throwIfAborted();
    if (this.closing) throw new Error('the egress client is closed');
    const slots = this.slotsOf(origin);
    const connection = slots.waiters.has(owner) ? undefined : this.take(origin, slots, owner);
    return connection ?? this.wait(origin, slots, owner, signal);
  }

  /** Takes a connection back; one that cannot be used again is closed. */
  release(connection: Connection, reusable: boolean): void {
    this.giveBack(connection);
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
        for (const waiters of this.slotsOf(origin).waiters.values())
          for (const waiter of waiters) waiter.reject(new Error('the egress client is closed'));
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
      slots = { open: 0, idle: [], held: new Map(), waiters: new Map() };
      this.origins.set(origin, slots);
    }
    return slots;
  }

  private take(origin: string, slots: OriginSlots, owner: string): Connection | undefined {
    const held = slots.held.get(owner) ?? 0;
    const free = this.settings.maxConnectionsPerOrigin - (slots.open - slots.idle.length);
    if (held + 1 > Math.max(1, OWNER_SHARE * free)) return undefined;
    const connection = this.idleOf(slots) ?? this.openOne(origin, slots);
    if (connection === undefined) return undefined;
    slots.held.set(owner, held + 1);
    this.owners.set(connection, owner);
    return connection;
  }

  private giveBack(connection: Connection): void {
    const { held } = this.slotsOf(connection.origin);
    const owner = this.owners.get(connection) as string;
    this.owners.delete(connection);
    const rest = (held.get(owner) ?? 0) - 1;
    if (rest > 0) held.set(owner, rest);
    else held.delete(owner);
  }

  private idleOf(slots: OriginSlots): Connection | undefined {
    const kept = slots.idle.pop();
    if (kept) this.idle.delete(kept);
    return kept;
  }

  private openOne(origin: string, slots: OriginSlots): Connection | undefined {
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

  private wait(origin: string, slots: OriginSlots, owner: string, signal?: AbortSignal): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        const others = slots.waiters.get(owner);
        others?.delete(waiter);
        if (others?.size === 0) slots.waiters.delete(owner);
        if (slots.waiters.size === 0) this.waiting.delete(origin);
        stopAbort();
        this.forgetIfUnused(origin, slots);
      };
      const waiter: Waiter = {
        resolve: (connection) => (leave(), resolve(connection)),
        reject: (error) => (leave(), reject(error)),
      };
      const waiters = slots.waiters.get(owner);
      if (waiters) waiters.add(waiter);
      else slots.waiters.set(owner, new Set([waiter]));
      this.waiting.add(origin);
      const stopAbort = onAbort(signal, (reason) => waiter.reject(reason));
    });
  }

  /** Gives free slots to who waits: one each per origin, an origin that was served goes to the end of the line. */
  private serve(): void {
    for (const origin of this.waiting) {
      const slots = this.slotsOf(origin);
      if (this.serveOne(origin, slots)) {
        this.waiting.delete(origin);
        // a Set's iteration comes to what is added while it runs
        if (slots.waiters.size > 0) this.waiting.add(origin);
      } else if (this.open >= this.settings.maxConnections && this.idle.size === 0) {
        return;
      }
    }
  }

  /** Serves the first owner in line that may have a connection, and puts it to the end of its origin's line. */
  private serveOne(origin: string, slots: OriginSlots): boolean {
    for (const [owner, waiters] of slots.waiters) {
      const connection = this.take(origin, slots, owner);
      if (connection === undefined) continue;
      const [waiter] = waiters;
      waiter?.resolve(connection);
      if (slots.waiters.delete(owner)) slots.waiters.set(owner, waiters);
      return true;
    }
    return false;
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
