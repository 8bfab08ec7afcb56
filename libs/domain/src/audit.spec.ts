import { auditChanges } from './audit.js';

// Pure.

describe('what an audit entry tells of a change', () => {
  it.each([
    ['a new value', { url: 'a' }, { url: 'b' }, { url: { from: 'a', to: 'b' } }],
    ['the name of the API', { timeoutMs: 1 }, { timeoutMs: 2 }, { timeout_ms: { from: 1, to: 2 } }],
    [
      'a value that was not there',
      { rateLimit: null },
      { rateLimit: { per_second: 1 } },
      { rate_limit: { to: { per_second: 1 } } },
    ],
    ['a value taken away', { rateLimit: 1 }, { rateLimit: null }, { rate_limit: { from: 1 } }],
    ['a time', { at: new Date(0) }, { at: null }, { at: { from: '1970-01-01T00:00:00.000Z' } }],
    [
      'an object in another order of keys: nothing',
      { retry: { a: 1, b: 2 } },
      { retry: { b: 2, a: 1 } },
      undefined,
    ],
    [
      'lists in another order',
      { types: ['a', 'b'] },
      { types: ['b', 'a'] },
      { types: { from: ['a', 'b'], to: ['b', 'a'] } },
    ],
    ['nothing of what is not patched', { url: 'a', name: 'n' }, { name: 'n' }, undefined],
    ['no ciphertext', { headers: null }, { headers: Buffer.from('x') }, { headers: { to: '[redacted]' } }],
    [
      'bytes, which differ each time they are encrypted',
      { headers: Buffer.from('x') },
      { headers: Buffer.from('x') },
      { headers: { from: '[redacted]', to: '[redacted]' } },
    ],
    [
      'no long value',
      { schema: {} },
      { schema: { a: 'x'.repeat(2_000) } },
      { schema: { from: {}, to: '[too long]' } },
    ],
  ])('%s', (_what, before: object, patch: object, changes) => {
    expect(auditChanges<object>(before, patch)).toEqual(changes);
  });
});
