import { z } from 'zod';
import { whole, url, text } from './readers.js';
import { inGroup, setting } from './setting.js';

export const CONNECTIONS_GROUP = inGroup('Connections', {
  DATABASE_URL: setting(url('postgres:', 'postgresql:'), {
    secret: true,
    doc: 'Postgres 15 or newer, as `postgres://user:password@host:port/database`. The role must own the database.',
  }),
  HOOKSTREAM_DATABASE_POOL_SIZE: setting(whole(2, 500), {
    default: '10',
    doc: 'Most connections of one process for accept, dispatch and delivery. Ordinary CRUD has a pool of 5 beside it and LISTEN one connection.',
  }),
  TEMPORAL_ADDRESS: setting(z.string().regex(/^[^\s/:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/, 'must be host:port'), {
    default: '127.0.0.1:7233',
    doc: 'Temporal frontend, `host:port`.',
  }),
  TEMPORAL_NAMESPACE: setting(text(), {
    default: 'hookstream',
    doc: 'Temporal namespace; created at boot when missing.',
  }),
  TEMPORAL_API_KEY: setting(text(), {
    optional: true,
    secret: true,
    doc: 'API key of Temporal Cloud. Switches TLS on.',
  }),
  TEMPORAL_TLS: setting(z.enum(['true', 'false'], 'must be true or false'), {
    optional: true,
    doc: '`true`: TLS to Temporal, by the authorities that the system trusts unless another is named below. Absent: TLS where one of the following or an API key is set.',
  }),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: setting(text(), {
    optional: true,
    doc: 'File with the certificate (PEM) of the authority that signed that of Temporal.',
  }),
  TEMPORAL_TLS_SERVER_NAME: setting(text(), {
    optional: true,
    doc: 'Name in the certificate of Temporal where it is not that of the address.',
  }),
  TEMPORAL_TLS_CLIENT_CERT_PATH: setting(text(), {
    optional: true,
    doc: 'mTLS: file with the certificate (PEM) to show to Temporal. With TEMPORAL_TLS_CLIENT_KEY_PATH.',
  }),
  TEMPORAL_TLS_CLIENT_KEY_PATH: setting(text(), {
    optional: true,
    doc: 'mTLS: file with the key (PEM) of that certificate.',
  }),
  HOOKSTREAM_TEMPORAL_RETENTION_HOURS: setting(whole(1, 24 * 365), {
    default: '24',
    doc: 'How long Temporal keeps the history of closed workflows, in hours. Used when the namespace is created.',
  }),
  HOOKSTREAM_TEMPORAL_UI_URL: setting(url('http:', 'https:'), {
    default: 'http://127.0.0.1:8233',
    doc: "Address of Temporal's Web UI, for the `temporal_url` of a delivery.",
  }),
});
