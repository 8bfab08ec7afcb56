// Pure: the address of a workflow's page.
import { temporalUrl } from './temporal-url.js';

describe('temporalUrl', () => {
  it.each([['http://127.0.0.1:8233'], ['http://127.0.0.1:8233/']])(
    'joins %s with the workflow id',
    (base) => {
      expect(temporalUrl(base, 'hookstream', 'dlv_01h')).toBe(
        'http://127.0.0.1:8233/namespaces/hookstream/workflows/dlv_01h',
      );
    },
  );

  it('escapes ids with slashes', () => {
    expect(temporalUrl('https://ui.test/temporal', 'hookstream', 'endpoint/ep_1')).toBe(
      'https://ui.test/temporal/namespaces/hookstream/workflows/endpoint%2Fep_1',
    );
  });
});
