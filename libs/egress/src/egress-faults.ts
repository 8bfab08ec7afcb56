import type { AttemptOutcomeKind } from '@hookstream/domain';

/**
 * A fault on our own side of the way out, such as the proxy being down. It says nothing about the endpoint, is not
 * recorded as an attempt and is to be tried again. Its message carries no credentials.
 */
export class EgressFaultError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EgressFaultError';
  }
}

/** A failure of the endpoint's side while connecting or waiting, already put into words. */
export class AttemptFault extends Error {
  constructor(
    readonly kind: Exclude<AttemptOutcomeKind, 'succeeded' | 'http_error'>,
    message: string,
  ) {
    super(message);
    this.name = 'AttemptFault';
  }
}
