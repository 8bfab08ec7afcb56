import type { RoomInUse } from '@hookstream/domain';

/** Whose room a delivery takes. */
export interface RoomOwner {
  tenantId: string;
  endpointId: string;
}

/** What the dispatcher waits for, when nothing may go for want of it. */
export interface WantedRoom {
  /** Any room at all. */
  any: boolean;
  /** A slot of one of these endpoints. */
  endpoints: ReadonlySet<string>;
}

/** A claim costs about the same for one delivery as for many, so a busy window asks for room only when this part of its starts is free. */
const STARTS_TOGETHER = 1 / 4;

/**
 * How much this process may take on, and who has how much of it. Deliveries count as started from the start call until their first attempt
 * begins here, and then as attempts until it ends: so a backlog waits in the outbox, where any worker can take it,
 * and slow receivers hold back nothing but the attempts that they make slow.
 */
export class DispatchWindow {
  /** Delivery id → whose it is, and when it was started. */
  private readonly started = new Map<string, { owner: RoomOwner; at: number }>();
  private readonly tenants = new Map<string, number>();
  private readonly endpoints = new Map<string, number>();
  private attempts = 0;
  private wanted: WantedRoom = { any: true, endpoints: new Set() };
  private changes = 0;

  constructor(
    private readonly options: {
      maxStarted: number;
      maxAttempts: number;
      /** Milliseconds after which a started delivery whose attempt never began here is taken to run elsewhere. */
      forgetAfterMs: number;
      now: () => number;
      /** Room was made that was wanted. */
      onRoom: () => void;
      /** The attempt of a delivery began that was started this many milliseconds before. */
      onStarted?: (tookMs: number) => void;
    },
  ) {}

  /** @param most never more than this at once */
  use(most: number): RoomInUse {
    this.forget();
    return {
      room: Math.min(most, this.room()),
      capacity: this.options.maxAttempts,
      total: this.total,
      tenants: this.tenants,
      endpoints: this.endpoints,
    };
  }

  /** Grows whenever room is made. */
  get version(): number {
    return this.changes;
  }

  /** Calls `onRoom` when this is there; at once when room was made since `version`. */
  want(wanted: WantedRoom, version: number): void {
    this.wanted = wanted;
    if (version !== this.changes && (this.hasWantedRoom() || wanted.endpoints.size > 0))
      this.options.onRoom();
  }

  starting(deliveryId: string, owner: RoomOwner): void {
    this.take(owner);
    this.started.set(deliveryId, { owner, at: this.options.now() });
  }

  /** The start failed, or another run of the delivery is open elsewhere. */
  notStarted(deliveryId: string): void {
    this.endStart(deliveryId);
  }

  /** @returns to be called when the attempt has ended. */
  attemptBegan(deliveryId: string, owner: RoomOwner): () => void {
    this.attempts += 1;
    this.take(owner);
    const start = this.endStart(deliveryId);
    if (start !== undefined) this.options.onStarted?.(this.options.now() - start.at);
    return () => {
      this.attempts -= 1;
      this.giveBack(owner);
      if (!this.wanted.any && this.wanted.endpoints.has(owner.endpointId)) this.options.onRoom();
    };
  }

  /** Deliveries that are being started or attempted here. */
  get total(): number {
    return this.attempts + this.started.size;
  }

  get attemptsUnderWay(): number {
    return this.attempts;
  }

  private endStart(deliveryId: string): { at: number } | undefined {
    const start = this.started.get(deliveryId);
    if (start === undefined) return undefined;
    this.started.delete(deliveryId);
    this.giveBack(start.owner);
    return start;
  }

  private take({ tenantId, endpointId }: RoomOwner): void {
    add(this.tenants, tenantId, 1);
    add(this.endpoints, endpointId, 1);
  }

  private giveBack({ tenantId, endpointId }: RoomOwner): void {
    add(this.tenants, tenantId, -1);
    add(this.endpoints, endpointId, -1);
    this.changes += 1;
    if (this.hasWantedRoom()) this.options.onRoom();
  }

  private hasWantedRoom(): boolean {
    return this.wanted.any && this.room() > 0;
  }

  private room(): number {
    const { maxStarted, maxAttempts } = this.options;
    const starts = maxStarted - this.started.size;
    if (starts < maxStarted * STARTS_TOGETHER) return 0;
    return Math.max(0, Math.min(starts, maxAttempts - this.total));
  }

  private forget(): void {
    const oldest = this.options.now() - this.options.forgetAfterMs;
    for (const [deliveryId, { owner, at }] of this.started) {
      if (at > oldest) return; // in insertion order: the rest is younger
      this.started.delete(deliveryId);
      add(this.tenants, owner.tenantId, -1);
      add(this.endpoints, owner.endpointId, -1);
    }
  }
}

function add(counts: Map<string, number>, key: string, difference: number): void {
  const count = (counts.get(key) ?? 0) + difference;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
