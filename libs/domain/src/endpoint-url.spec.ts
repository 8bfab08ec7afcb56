import { checkEndpointUrl, type EndpointUrlRules, urlPort } from './endpoint-url.js';

const httpsOnly: EndpointUrlRules = { schemes: ['https'] };
const both: EndpointUrlRules = { schemes: ['https', 'http'] };
const codes = (url: string, rules = httpsOnly) => checkEndpointUrl(url, rules).map((problem) => problem.code);

describe('checkEndpointUrl', () => {
  it.each([
    ['https://example.com', httpsOnly, []],
    ['HTTPS://Example.com:8443/a?b=c#d', httpsOnly, []],
    ['https://[2001:db8::1]/hooks', httpsOnly, []],
    ['http://example.com', httpsOnly, ['scheme']],
    ['http://example.com', both, []],
    ['ftp://example.com', both, ['scheme']],
    ['file:///etc/passwd', both, ['scheme']],
    ['javascript:alert(1)', both, ['scheme']],
    ['example.com', both, ['malformed']],
    ['/hooks', both, ['malformed']],
    ['', both, ['malformed']],
    ['https://', httpsOnly, ['host']],
    ['https:example.com', httpsOnly, ['host']],
    ['https:///example.com', httpsOnly, ['host']],
    ['https://?x', httpsOnly, ['host']],
    ['https://example.com:0', httpsOnly, ['port']],
    ['https://example.com:99999', httpsOnly, ['malformed']],
    ['https://exa mple.com', httpsOnly, ['malformed']],
    ['https://example.com/\n', httpsOnly, ['malformed']],
    ['https://example.com\\@127.0.0.1/', httpsOnly, ['malformed']],
    ['https://user:pass@example.com', httpsOnly, ['userinfo']],
    ['https://user@example.com', httpsOnly, ['userinfo']],
    ['https://[::1', httpsOnly, ['malformed']],
    ['https://1.2.3.256/', httpsOnly, ['malformed']],
    [`https://example.com/${'x'.repeat(2_048)}`, httpsOnly, ['too_long']],
    ['https://example.com:8080', { ...httpsOnly, ports: [443] }, ['port']],
    ['https://example.com', { ...httpsOnly, ports: [443] }, []],
    ['http://example.com', { ...both, ports: [443] }, ['port']],
    ['https://u@example.com:8080', { ...httpsOnly, ports: [443] }, ['userinfo', 'port']],
  ])('%s', (url, rules, expected) => {
    expect(codes(url, rules)).toEqual(expected);
  });

  it('does not repeat the URL, which may hold a password', () => {
    const messages = checkEndpointUrl('https://user:hunter2@example.com', httpsOnly).map((p) => p.message);
    expect(messages.join()).not.toContain('hunter2');
  });

  it('knows the default ports', () => {
    expect(['https://a', 'http://a', 'https://a:81'].map((url) => urlPort(new URL(url)))).toEqual([
      443, 80, 81,
    ]);
  });
});
