/** What is wrong with reaching Postgres, and how to mend it. */
export interface PostgresTrouble {
  what: string;
  mend: string;
}

/** By the code of Node or of Postgres (SQLSTATE). */
const TROUBLES: Readonly<Record<string, PostgresTrouble>> = {
  ECONNREFUSED: {
    what: 'nothing listens at the address of DATABASE_URL',
    mend: 'Start Postgres, or correct host and port in DATABASE_URL.',
  },
  ENOTFOUND: {
    what: 'the host name of DATABASE_URL is not known',
    mend: 'Correct the host in DATABASE_URL; from a container, use the name of the service.',
  },
  EAI_AGAIN: {
    what: 'the host name of DATABASE_URL cannot be looked up now',
    mend: 'Look at the DNS of this machine.',
  },
  ETIMEDOUT: {
    what: 'the address of DATABASE_URL does not answer',
    mend: 'Look for a firewall or network policy between this machine and Postgres.',
  },
  '28P01': {
    what: 'Postgres refuses the password of DATABASE_URL',
    mend: 'Correct user and password in DATABASE_URL; special characters have to be percent-encoded.',
  },
  '28000': {
    what: 'Postgres does not let the user of DATABASE_URL in',
    mend: 'Correct the user in DATABASE_URL, or let it in by pg_hba.conf; a server that asks for TLS needs ?sslmode=require.',
  },
  '3D000': {
    what: 'the database of DATABASE_URL does not exist',
    mend: 'Make it: CREATE DATABASE … OWNER … as the user of DATABASE_URL.',
  },
  '42501': {
    what: 'the user of DATABASE_URL may not do that',
    mend: 'Give it the database: ALTER DATABASE … OWNER TO …, and its tables.',
  },
  '42P01': {
    what: 'the database has not all tables of this version',
    mend: 'Run: npx hookstream migrate',
  },
  '53300': {
    what: 'Postgres has no connection left',
    mend: 'Raise max_connections of Postgres, or lower HOOKSTREAM_DATABASE_POOL_SIZE.',
  },
};

/** Undefined when the error is none of those that have a known mend. */
export function postgresTrouble(error: unknown): PostgresTrouble | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code in TROUBLES) return TROUBLES[code];
  if (/timeout/i.test(String(message))) return TROUBLES['ETIMEDOUT'];
  return undefined;
}
