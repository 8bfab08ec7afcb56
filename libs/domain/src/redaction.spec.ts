import { isSensitiveHeader, redactHeaders } from './redaction.js';

describe('redaction', () => {
  it.each([
    ['Authorization', true],
    ['proxy-authorization', true],
    ['Cookie', true],
    ['set-cookie', true],
    ['X-API-Key', true],
    ['x-auth', true],
    ['X-Access-Token', true],
    ['X-Client-Secret', true],
    ['x-db-password', true],
    ['X-Hub-Signature-256', true],
    ['x-credentials', true],
    ['webhook-signature', false],
    ['X-Hookstream-Signature', false],
    ['webhook-id', false],
    ['content-type', false],
    ['traceparent', false],
  ])('%s: %s', (name, expected) => {
    expect(isSensitiveHeader(name)).toBe(expected);
  });

  it('keeps the rest, and the given object', () => {
    const headers = { Authorization: 'Bearer s3cret', 'x-team': 'payments' };
    expect(redactHeaders(headers)).toEqual({ Authorization: '[redacted]', 'x-team': 'payments' });
    expect(headers.Authorization).toBe('Bearer s3cret');
  });
});
