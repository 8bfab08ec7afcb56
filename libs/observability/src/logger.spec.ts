// Real: pino, writing to memory.
import { createLogger } from './index.js';

describe('the log', () => {
  const logged = (fields: object): Record<string, never> => {
    const lines: string[] = [];
    createLogger({ name: 'test', level: 'info' }, { write: (line) => lines.push(line) }).info(fields, 'said');
    expect(lines).toHaveLength(1);
    return JSON.parse(lines[0] as string);
  };

  it.each([
    [{ token: 'hush' }, { token: '[redacted]' }],
    [{ request: { Headers: { a: 'hush' }, url: '/x' } }, { request: { Headers: '[redacted]', url: '/x' } }],
    [{ list: [1, { password: 'hush' }] }, { list: [1, { password: '[redacted]' }] }],
    [{ event: { data: { card: 'hush' }, id: 'evt_1' } }, { event: { data: '[redacted]', id: 'evt_1' } }],
    [
      { a: { b: { c: { d: { e: { f: { g: 'hush' } } } } } } },
      { a: { b: { c: { d: { e: { f: '[redacted]' } } } } } },
    ],
    [
      { tenant_id: 'tnt_1', attempt: 1, next: undefined },
      { tenant_id: 'tnt_1', attempt: 1 },
    ],
  ])('of %j shows %j', (fields, shown) => {
    expect(logged(fields)).toMatchObject(shown);
    expect(JSON.stringify(logged(fields))).not.toContain('hush');
  });

  it('changes nothing of what it is given', () => {
    const fields = { nested: { secret: 'hush' } };
    logged(fields);
    expect(fields).toEqual({ nested: { secret: 'hush' } });
  });

  it('keeps of an error and its causes what happened, and none of what a driver hangs on it', () => {
    const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (a)=(hush)' });
    const error = Object.assign(new TypeError('cannot store', { cause }), {
      parameters: ['hush'],
      query: 'hush',
    });
    const { err } = logged({ err: error });
    expect(err).toMatchObject({
      type: 'TypeError',
      message: 'cannot store',
      cause: { type: 'Error', message: 'duplicate key', code: '23505' },
    });
    expect(JSON.stringify(err)).not.toContain('hush');
  });
});
