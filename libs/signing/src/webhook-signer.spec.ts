// Real: node:crypto, and the `standardwebhooks` package as an independent verifier.
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { createWebhookSigner, generateSecret, publicKeyOf, schemeOf } from './index.js';

const signer = createWebhookSigner();
// the vectors of the Standard Webhooks project
const vector = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
const symmetric = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const symmetricSignature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const asymmetric =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
const asymmetricSignature =
  'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==';

const now = () => Math.floor(Date.now() / 1_000);
const headers = (id: string, timestamp: number, signature: string) => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': signature,
});

describe('sign', () => {
  it('gives the vectors of the specification', () => {
    expect(signer.sign(vector, signer.keysOf([symmetric]))).toBe(symmetricSignature);
    expect(signer.sign(vector, signer.keysOf([asymmetric]))).toBe(asymmetricSignature);
    expect(
      signer.sign({ ...vector, body: Buffer.from(vector.body) }, signer.keysOf([symmetric, asymmetric])),
    ).toBe(`${symmetricSignature} ${asymmetricSignature}`);
  });

  it('is verified by the standardwebhooks package, over bytes beyond ASCII', () => {
    const secret = generateSecret('v1');
    const message = { id: 'evt_1', timestamp: now(), body: '{"name":"Zoë 😀","n":9007199254740993}' };
    const given = headers(message.id, message.timestamp, signer.sign(message, signer.keysOf([secret])));
    expect(() => new Webhook(secret).verify(message.body, given)).not.toThrow();
    expect(() => new Webhook(secret).verify(`${message.body} `, given)).toThrow();
    expect(() => new Webhook(secret).verify(message.body, { ...given, 'webhook-id': 'evt_2' })).toThrow();
  });

  it('lets holders of either secret verify while rotating', () => {
    const [current, previous, other] = [generateSecret('v1'), generateSecret('v1'), generateSecret('v1')];
    const message = { id: 'evt_1', timestamp: now(), body: '{}' };
    const given = headers(
      message.id,
      message.timestamp,
      signer.sign(message, signer.keysOf([current, previous])),
    );
    for (const secret of [current, previous]) {
      expect(() => new Webhook(secret).verify(message.body, given)).not.toThrow();
    }
    expect(() => new Webhook(other).verify(message.body, given)).toThrow();
  });

  it('signs with generated ed25519 keys so that the public key verifies', () => {
    const secret = generateSecret('v1a');
    const message = { id: 'evt_1', timestamp: 1, body: 'x' };
    const signature = Buffer.from(
      signer.sign(message, signer.keysOf([secret])).slice('v1a,'.length),
      'base64',
    );
    const x = Buffer.from(publicKeyOf(secret).slice('whpk_'.length), 'base64').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, Buffer.from('evt_1.1.x'), publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.from('evt_1.1.y'), publicKey, signature)).toBe(false);
  });

  it('keeps few keys and still signs right when they were dropped', () => {
    const small = createWebhookSigner({ cachedKeys: 1 });
    for (let round = 0; round < 3; round++) {
      expect(small.sign(vector, small.keysOf([symmetric, asymmetric]))).toBe(
        `${symmetricSignature} ${asymmetricSignature}`,
      );
    }
  });

  it.each([
    ['no prefix', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['a public key', 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='],
    ['too short', `whsec_${Buffer.alloc(23, 7).toString('base64')}`],
    ['too long', `whsec_${Buffer.alloc(65, 7).toString('base64')}`],
    ['not base64', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!'],
    ['half an ed25519 key', `whsk_${Buffer.alloc(32, 7).toString('base64')}`],
    ['an ed25519 key with another public half', `whsk_${Buffer.alloc(64, 7).toString('base64')}`],
    ['nothing', ''],
  ])('refuses a secret with %s, without repeating it', (_name, secret) => {
    const attempt = () => signer.sign(vector, signer.keysOf([secret]));
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    if (secret.length > 12) expect(attempt).not.toThrow(secret.slice(6));
  });

  it('refuses to send unsigned', () => {
    expect(() => signer.sign(vector, signer.keysOf([]))).toThrow('without a secret');
    expect(() => signer.sign({ ...vector, timestamp: 1.5 }, signer.keysOf([symmetric]))).toThrow(RangeError);
  });
});

describe('signCompat', () => {
  const key = Buffer.from(symmetric.slice('whsec_'.length), 'base64');
  const expected = (encoding: 'hex' | 'base64') =>
    createHmac('sha256', key).update('{"a":1}').digest(encoding);

  it.each([
    ['hex with prefix', { encoding: 'hex', prefix: 'sha256=' }, `sha256=${expected('hex')}`],
    ['base64', { encoding: 'base64' }, expected('base64')],
  ] as const)('%s', (_name, format, value) => {
    expect(
      signer.signCompat('{"a":1}', signer.keysOf([asymmetric, symmetric, generateSecret('v1')]), {
        header: 'X',
        ...format,
      }),
    ).toBe(value);
  });

  it('has nothing to say without a symmetric secret', () => {
    expect(
      signer.signCompat('{}', signer.keysOf([asymmetric]), { header: 'X', encoding: 'hex' }),
    ).toBeUndefined();
  });
});

describe('headers', () => {
  const standard = {
    'webhook-id': vector.id,
    'webhook-timestamp': String(vector.timestamp),
    'webhook-signature': symmetricSignature,
  };

  it('are the three of the standard', () => {
    expect(signer.headers(vector, signer.keysOf([symmetric]), { scheme: 'v1' })).toEqual(standard);
  });

  it('have the compatible one beside them where it is wanted and possible', () => {
    const compat = { header: 'X-Hookstream-Signature', encoding: 'hex', prefix: 'sha256=' } as const;
    const value = signer.signCompat(vector.body, signer.keysOf([symmetric]), compat);
    expect(signer.headers(vector, signer.keysOf([symmetric]), { scheme: 'v1', compat })).toEqual({
      ...standard,
      'x-hookstream-signature': value,
    });
    expect(signer.headers(vector, signer.keysOf([asymmetric]), { scheme: 'v1a', compat })).not.toHaveProperty(
      [compat.header.toLowerCase()],
    );
  });
});

describe('secrets', () => {
  it('are generated unique, sound and of the wanted scheme', () => {
    expect(generateSecret('v1')).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(generateSecret('v1a')).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/);
    expect([generateSecret('v1'), generateSecret('v1a')].map(schemeOf)).toEqual(['v1', 'v1a']);
    expect(new Set(Array.from({ length: 100 }, () => generateSecret('v1'))).size).toBe(100);
  });

  it('tell their public key', () => {
    expect(publicKeyOf(asymmetric)).toBe('whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=');
    expect(() => publicKeyOf(symmetric)).toThrow('no public key');
  });
});
