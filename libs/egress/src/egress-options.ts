import type { LookupAddress } from 'node:dns';
import type { AttemptOutcome } from '@hookstream/domain';

export interface EgressOptions {
  /** Addresses and CIDR ranges that may be connected to although they are not public. Default: none. */
  allowCidrs?: readonly string[];
  /** URL schemes that may be called. Default: https only. */
  schemes?: readonly string[];
  /** Ports that may be called. Absent or empty: any. */
  ports?: readonly number[];
  /**
   * HTTP(S) proxy that every request goes through by CONNECT, for http targets too; user and password in the URL.
   * Names are then resolved by the proxy, so it must refuse private addresses; literal addresses are still vetted here.
   */
  proxyUrl?: string;
  /** Longest time to look up, connect and secure a connection, in milliseconds. Default 10,000. */
  connectTimeoutMs?: number;
  /** Longest time from a connection to the headers of the answer. Default: only the request's own timeout. */
  headersTimeoutMs?: number;
  /** Open connections at once, idle ones included. Default 1,000. */
  maxConnections?: number;
  /** Open connections to one scheme, host and port; one owner gets two thirds of them at most. Default 200. */
  maxConnectionsPerOrigin?: number;
  /** How long an unused connection is kept, in milliseconds. Default 4,000: less than most servers wait. */
  idleTimeoutMs?: number;
  /** How much of an answer's body is read and kept, in bytes. Default 16 KiB. */
  responseLimitBytes?: number;
  /** PEM certificates of further authorities to trust. */
  ca?: readonly string[];
  /** All addresses of a name. Default: the operating system's resolver. */
  lookup?: (hostname: string) => Promise<LookupAddress[]>;
}

export interface EgressRequest {
  url: string;
  /** On whose behalf: an endpoint. No owner takes all connections to a host that several share. */
  owner: string;
  headers: Record<string, string>;
  body: Buffer | string;
  /** Bounds connecting, waiting and reading together, in milliseconds; waiting for a free connection is not counted. */
  timeoutMs: number;
  /** Aborting rejects with the signal's reason: it is not an outcome. */
  signal?: AbortSignal;
}

export interface EgressClient {
  /**
   * POSTs once and says what came of it. Whatever the receiver does is an outcome.
   * @throws EgressFaultError for faults of our own side (the proxy); the signal's reason when aborted
   */
  send(request: EgressRequest): Promise<AttemptOutcome>;
  /** Takes no more requests, lets those under way end and closes all connections. */
  close(): Promise<void>;
}
