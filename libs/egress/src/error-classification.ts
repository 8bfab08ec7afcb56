import { AttemptFault, EgressFaultError } from './egress-faults.js';

type CodedError = Error & { code?: string; errors?: CodedError[] };

/** What went wrong while connecting or securing keeps its own words; everything else says what a person can act on. */
const CONNECT_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection; nothing listens there',
  ECONNRESET: 'reset the connection while it was being opened',
  ETIMEDOUT: 'did not answer the connection attempt',
  EHOSTUNREACH: 'is unreachable: no route to the host',
  ENETUNREACH: 'is unreachable: no route to the network',
};

const TLS_TEXTS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate chain ends in a self-signed certificate',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the certificate cannot be verified; an intermediate certificate may be missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is from an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  EPROTO: 'the TLS handshake failed',
};

/** Errors that only say that the connection is no more. */
const DROPPED: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED']);

const HEADER_LIMIT_TEXT = 'the headers of the answer exceed 16 KiB';

interface Named {
  hostname: string;
  port: number;
}

/** For `catch` around opening a TCP connection to a target. */
export function connectFault({ hostname, port }: Named): (error: unknown) => never {
  return (error) => {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new AttemptFault(
      'connection_error',
      `${hostname}:${port} ${CONNECT_TEXTS[code] ?? 'cannot be connected to'} (${code})`,
    );
  };
}

/** For `catch` around a TLS handshake with a target. */
export function tlsFault({ hostname }: Named): (error: unknown) => never {
  return (error) => {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (DROPPED.has(code)) {
      throw new AttemptFault(
        'connection_error',
        `${hostname} closed the connection during the TLS handshake (${code})`,
      );
    }
    throw new AttemptFault(
      'tls_error',
      `${hostname}: ${TLS_TEXTS[code] ?? 'TLS could not be established'} (${code})`,
    );
  };
}

/**
 * The endpoint's failure behind an error of an exchange on an open connection.
 * @throws the error itself when it is not the endpoint's: our own faults and bugs
 */
export function exchangeFault(error: unknown): AttemptFault {
  if (error instanceof AttemptFault) return error;
  const code = codeOf(error);
  if (error instanceof EgressFaultError || code === undefined) throw error;
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return new AttemptFault('response_too_large', HEADER_LIMIT_TEXT);
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    return new AttemptFault('tls_error', `the receiver ended the TLS connection (${code})`);
  }
  // a header that cannot be sent was set on the endpoint; undici names the header, not its value
  if (code === 'UND_ERR_INVALID_ARG')
    return new AttemptFault('connection_error', `the request cannot be sent: ${(error as Error).message}`);
  if (code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return new AttemptFault('connection_error', `the answer is not valid HTTP (${code})`);
  }
  if (DROPPED.has(code))
    return new AttemptFault(
      'connection_error',
      'the receiver closed the connection before its answer was complete',
    );
  if (code.startsWith('UND_ERR') || /^E[A-Z0-9]+$/.test(code)) {
    return new AttemptFault('connection_error', `the connection failed (${code})`);
  }
  throw error;
}

/** Whether an error says no more than that the connection was dropped. */
export function isDropped(error: unknown): boolean {
  return DROPPED.has(codeOf(error) ?? '');
}

/** The code of an error; of one that stands for several addresses tried, that of the first. */
export function codeOf(error: unknown): string | undefined {
  // by shape, not by class: an error may come from another realm
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, errors } = error as Partial<CodedError>;
  // undici leaves some parser errors without their code
  return (
    errors?.[0]?.code ?? code ?? ((error as Error).name === 'HTTPParserError' ? 'HPE_INVALID' : undefined)
  );
}
