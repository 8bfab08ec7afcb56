// Real: node:crypto. The vectors are those of the Standard Webhooks project.
import { generateSecret, verifyWebhook } from './index.js';

const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const seconds = 1_614_265_330;
const body = Buffer.from('{"test": 2432232314}');
const v1 = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const v1a = 'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';
const symmetric = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const privateKey =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
const signed = (signature: string) => ({
  'webhook-id': id,
  'webhook-timestamp': String(seconds),
  'webhook-signature': signature,
});

describe('verifyWebhook', () => {
  it.each([
    ['the symmetric vector', v1, symmetric, body, 0, undefined],
    ['the ed25519 vector', v1a, privateKey, body, 0, undefined],
    ['one good signature of several', `v1,AAAA ${v1a} ${v1}`, symmetric, body, 0, undefined],
    ['a clock five minutes off', v1, symmetric, body, 300, undefined],
    ['a clock further off', v1, symmetric, body, -301, /clock/],
    ['another body', v1, symmetric, Buffer.from('{"test":2432232314}'), 0, /not that of this secret/],
    ['another secret', v1, generateSecret('v1'), body, 0, /not that of this secret/],
    ['another public key', v1a, generateSecret('v1a'), body, 0, /not that of this secret/],
    ['a signature cut short', v1.slice(0, -8), symmetric, body, 0, /not that of this secret/],
    ['a signature of another scheme', v1a, symmetric, body, 0, /signed with v1a/],
    ['no signature', '', symmetric, body, 0, /no webhook-signature/],
  ])('judges %s', (_, signature, secret, bytes, offSeconds, problem) => {
    const judged = verifyWebhook(bytes, signed(signature), secret, (seconds + offSeconds) * 1_000);
    if (problem === undefined) expect(judged).toBeUndefined();
    else expect(judged).toMatch(problem);
  });

  it('throws for what is no secret, and does not repeat it', () => {
    expect(() => verifyWebhook(body, signed(v1), 'whsec_hunter2')).toThrow(/not a signing secret/);
    expect(() => verifyWebhook(body, signed(v1), 'whsec_hunter2')).not.toThrow(/hunter2/);
  });
});
