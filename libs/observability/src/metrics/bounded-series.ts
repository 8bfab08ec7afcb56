/** What stands for all that came after the bound. */
const OTHER = 'other';

/**
 * Series by tenant and event type, of which there can be any number: the first `limit` pairs have their own, the others share one.
 * Looking up allocates nothing.
 */
export class BoundedSeries<S> {
  private readonly known = new Map<string, Map<string, S>>();
  private size = 0;
  private others: S | undefined;

  /** @param make begins the series of these labels */
  constructor(
    private readonly limit: number,
    private readonly make: (tenant: string, eventType: string) => S,
  ) {}

  of(tenantId: string, eventType: string): S {
    const known = this.known.get(tenantId)?.get(eventType);
    if (known !== undefined) return known;
    if (this.size >= this.limit) return (this.others ??= this.make(OTHER, OTHER));
    this.size += 1;
    const series = this.make(tenantId, eventType);
    const ofTenant = this.known.get(tenantId);
    if (ofTenant === undefined) this.known.set(tenantId, new Map([[eventType, series]]));
    else ofTenant.set(eventType, series);
    return series;
  }
}
