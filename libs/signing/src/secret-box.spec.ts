import { generateEncryptionKey, keyIdOf, parseKeyRing, SecretBox } from './index.js';

const [oldKey, newKey] = [generateEncryptionKey(), generateEncryptionKey()];
const box = new SecretBox(parseKeyRing(oldKey));
const failure = expect.objectContaining({
  code: 'decryption_failed',
  message: expect.stringContaining('HOOKSTREAM_ENCRYPTION_KEY') as string,
});

describe('SecretBox', () => {
  it.each(['whsec_abc', '', 'Zoë 😀', 'x'.repeat(10_000)])('opens what it closed: %.20s', (text) => {
    const envelope = box.encrypt(text, 'ep_1');
    expect(box.decrypt(envelope, 'ep_1')).toBe(text);
    expect(box.decrypt(new Uint8Array(envelope), 'ep_1')).toBe(text);
    if (text !== '') expect(envelope.includes(text)).toBe(false);
  });

  it('never gives the same envelope twice', () => {
    expect(box.encrypt('a', 'ep_1').equals(box.encrypt('a', 'ep_1'))).toBe(false);
  });

  it('does not open for another owner', () => {
    expect(() => box.decrypt(box.encrypt('a', 'ep_1'), 'ep_2')).toThrow(failure);
  });

  it('notices a flipped bit in every byte, and every cut', () => {
    const envelope = box.encrypt('whsec_abc', 'ep_1');
    for (let i = 0; i < envelope.length; i++) {
      const tampered = Buffer.from(envelope);
      tampered[i]! ^= 1;
      expect(() => box.decrypt(tampered, 'ep_1')).toThrow(failure);
      expect(() => box.decrypt(envelope.subarray(0, i), 'ep_1')).toThrow(failure);
    }
  });

  it('rotates: the first key encrypts, all decrypt, a dropped one is named', () => {
    const old = box.encrypt('a', 'ep_1');
    const both = new SecretBox(parseKeyRing(`${newKey}, ${oldKey}`));
    expect(both.decrypt(old, 'ep_1')).toBe('a');
    expect(both.isStale(old)).toBe(true);
    const fresh = both.encrypt('a', 'ep_1');
    expect(both.isStale(fresh)).toBe(false);
    expect(keyIdOf(fresh)).toBe(both.currentKeyId);
    expect(() => box.decrypt(fresh, 'ep_1')).toThrow(failure);
    expect(() => box.decrypt(fresh, 'ep_1')).toThrow(keyIdOf(fresh));
  });
});

describe('parseKeyRing', () => {
  it('takes a list that is split already', () => {
    expect(parseKeyRing([newKey, oldKey]).map((key) => key.id)).toEqual(
      parseKeyRing(`${newKey},${oldKey}`).map((key) => key.id),
    );
  });

  it.each([
    ['nothing', '', 'is empty'],
    ['only commas', ' , ', 'is empty'],
    ['a short key', Buffer.alloc(16, 1).toString('base64'), 'entry 1'],
    ['a password', `${newKey},correct horse battery staple`, 'entry 2'],
    ['hex', Buffer.alloc(32, 1).toString('hex'), 'entry 1'],
  ])('refuses %s, naming the setting and not the value', (_name, text, message) => {
    expect(() => parseKeyRing(text)).toThrow(/^HOOKSTREAM_ENCRYPTION_KEY/);
    expect(() => parseKeyRing(text)).toThrow(message);
    if (text.length > 5) expect(() => parseKeyRing(text)).not.toThrow(text.split(',').at(-1));
  });
});
