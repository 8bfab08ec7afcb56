import { DomainError, type ErrorCode } from './errors.js';

/** What the operator sets for a tenant. Null: what the deployment says, or no limit. */
export interface TenantLimits {
  /** Events accepted in a second, on average; may be fractional. */
  eventsPerSecond: number | null;
  /** Events accepted at once after a pause. Null: one second's worth. */
  burst: number | null;
  /** Deliveries that may be unfinished when another event is accepted. */
  maxPending: number | null;
  /** Attempts under way at once, over all endpoints. */
  maxInFlight: number | null;
  /** Share of the room for attempts, beside other tenants. */
  weight: number;
}

export const DEFAULT_TENANT_LIMITS: TenantLimits = {
  eventsPerSecond: null,
  burst: null,
  maxPending: null,
  maxInFlight: null,
  weight: 1,
};

/** A refusal that ends by itself. */
export class LimitError extends DomainError {
  constructor(
    code: ErrorCode,
    message: string,
    /** At least 1. */
    readonly retryAfterSeconds: number,
  ) {
    super(code, message);
    this.name = 'LimitError';
  }
}
