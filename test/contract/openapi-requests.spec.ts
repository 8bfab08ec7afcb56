// Real: API on a socket, Postgres. Temporal is not asked. Every request example of the contract is sent as it stands.
import { OPERATOR_TOKEN, startTestApi, type TestApi } from '../integration/api-fixture.js';
import { ContractChecker } from './contract-checker.js';

describe('request examples', () => {
  let api: TestApi;
  let checker: ContractChecker;
  beforeAll(async () => {
    api = await startTestApi();
    checker = await ContractChecker.load();
  });
  afterAll(() => api.close());

  it('are accepted by the real API', async () => {
    const tenant = await api.createTenant();
    const endpoint = await api.call('POST', '/endpoints', {
      token: tenant.key,
      body: { url: 'https://example.com/hooks' },
    });
    const key = await api.call('POST', '/api-keys', { token: tenant.key, body: { name: 'k' } });
    await api.call('POST', '/event-types', { token: tenant.key, body: { name: 'order.described' } });
    const ids: Record<string, string> = {
      'event-types': 'order.described',
      endpoints: endpoint.body.id as string,
      tenants: tenant.id,
      'api-keys': key.body.id as string,
    };
    let sent = 0;
    for (const [path, methods] of Object.entries(checker.document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const schema = operation.requestBody?.content['application/json']?.schema as
          { $ref?: string } | undefined;
        if (schema === undefined) continue;
        const name = schema.$ref?.split('/').at(-1) ?? '';
        const examples = checker.document.components.schemas[name]?.['examples'] as unknown[] | undefined;
        const example = checker.document.components.schemas[name]?.['example'];
        const all = examples ?? [example];
        for (const body of all) {
          expect(body).toBeDefined();
          const feature = path.split('/')[3] ?? '';
          const target = path.replace('/api/v1', '').replace(/\{(?:id|name)\}/, ids[feature] ?? '');
          const answer = await api.call(method.toUpperCase(), target, {
            token: feature === 'tenants' ? OPERATOR_TOKEN : tenant.key,
            body,
          });
          if (answer.status >= 300) throw new Error(`${operation.operationId}: ${answer.text}`);
          sent += 1;
        }
      }
    }
    expect(sent).toBeGreaterThanOrEqual(8);
  });
});
