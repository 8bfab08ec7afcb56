/** How the servers that the global setup started are told to the test workers. */
export const POSTGRES_URL_VARIABLE = 'HOOKSTREAM_TEST_POSTGRES_URL';
export const TEMPORAL_ADDRESS_VARIABLE = 'HOOKSTREAM_TEST_TEMPORAL_ADDRESS';

export const TEMPLATE_DATABASE = 'hookstream_template';

/** @throws Error when the suite runs without the global setup. */
export function testVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(
      `${name} is not set: this suite needs the global setup of @hookstream/testing (see jest.config.mjs)`,
    );
  }
  return value;
}

export function urlOfDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
