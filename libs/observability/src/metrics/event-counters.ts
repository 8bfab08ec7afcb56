/** What stands for all that came after the bound. */
export const OTHER = 'other';

/**
 * Counters by tenant and event type, of which there can be any number: the first `limit` pairs have their own, the others share one.
 * Looking up allocates nothing.
 */
export class EventCounters<C> {
  private readonly known = new Map<string, Map<string, C>>();
  private size = 0;
  private others: C | undefined;

  constructor(
    private readonly limit: number,
    private readonly make: () => C,
  ) {}

  of(tenantId: string, eventType: string): C {
    const known = this.known.get(tenantId)?.get(eventType);
    if (known !== undefined) return known;
    if (this.size >= this.limit) return (this.others ??= this.make());
    this.size += 1;
    const counter = this.make();
    const ofTenant = this.known.get(tenantId);
    if (ofTenant === undefined) this.known.set(tenantId, new Map([[eventType, counter]]));
    else ofTenant.set(eventType, counter);
    return counter;
  }

  *entries(): Generator<{ tenant: string; eventType: string; counter: C }> {
    for (const [tenant, ofTenant] of this.known)
      for (const [eventType, counter] of ofTenant) yield { tenant, eventType, counter };
    if (this.others !== undefined) yield { tenant: OTHER, eventType: OTHER, counter: this.others };
  }
}
