// A real HTTP/2 server with TLS in place of Temporal: what clients of both kinds show it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { loadTemporalConfig } from '@hookstream/config';
import { connectTemporal, connectTemporalWorker } from '@hookstream/temporal-client';
import { AUTHORITY, CERTIFICATE, CERTIFICATE_KEY } from './tls-material.js';

/** As gRPC frames it: not compressed, no bytes. */
const EMPTY_MESSAGE = Buffer.alloc(5);

interface Seen {
  path: string;
  authorization: string | undefined;
  clientTrusted: boolean;
}

describe('the connection to Temporal', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-tls-'));
  const authority = join(directory, 'ca.crt');
  const certificate = join(directory, 'tls.crt');
  const key = join(directory, 'tls.key');
  const seen: Seen[] = [];
  let server: Http2SecureServer;
  let address: string;

  beforeAll(async () => {
    writeFileSync(authority, AUTHORITY);
    writeFileSync(certificate, CERTIFICATE);
    writeFileSync(key, CERTIFICATE_KEY, { mode: 0o600 });
    server = createSecureServer({
      cert: CERTIFICATE,
      key: CERTIFICATE_KEY,
      ca: AUTHORITY,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.on('sessionError', () => undefined);
    server.on('stream', (stream, headers) => {
      const socket = stream.session?.socket as TLSSocket | undefined;
      seen.push({
        path: String(headers[':path']),
        authorization: headers.authorization,
        clientTrusted: socket?.authorized ?? false,
      });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.end(EMPTY_MESSAGE);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => seen.splice(0));
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });

  const settings = (more: Record<string, string>) =>
    loadTemporalConfig({ TEMPORAL_ADDRESS: address, TEMPORAL_TLS_SERVER_NAME: 'localhost', ...more });

  it('of the API shows certificate and API key to the server it trusts', async () => {
    const temporal = connectTemporal(
      settings({
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority,
        TEMPORAL_TLS_CLIENT_CERT_PATH: certificate,
        TEMPORAL_TLS_CLIENT_KEY_PATH: key,
        TEMPORAL_API_KEY: 'k-1',
      }),
    );
    await temporal.check();
    await temporal.close();
    expect(seen.at(-1)).toMatchObject({
      path: expect.stringContaining('DescribeNamespace'),
      authorization: 'Bearer k-1',
      clientTrusted: true,
    });
  });

  it('of a worker shows certificate and API key to the server it trusts', async () => {
    const temporal = await connectTemporalWorker(
      settings({
        TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority,
        TEMPORAL_TLS_CLIENT_CERT_PATH: certificate,
        TEMPORAL_TLS_CLIENT_KEY_PATH: key,
        TEMPORAL_API_KEY: 'k-2',
      }),
    );
    await temporal.close();
    expect(seen[0]).toMatchObject({
      authorization: 'Bearer k-2',
      clientTrusted: true,
    });
  });

  it('says nothing to a server it does not trust', async () => {
    const untrusting = settings({ TEMPORAL_API_KEY: 'k-3' });
    await expect(connectTemporalWorker(untrusting)).rejects.toThrow();
    const temporal = connectTemporal(untrusting);
    await expect(temporal.check()).rejects.toThrow();
    await temporal.close();
    expect(seen).toEqual([]);
  });

  it('names a file that is not there', () => {
    const gone = settings({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(directory, 'gone.crt') });
    expect(() => connectTemporal(gone)).toThrow(/gone\.crt/);
  });
});
