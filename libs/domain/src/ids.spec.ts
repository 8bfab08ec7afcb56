import { fromUUID, toUUID } from 'typeid-js';
import { DomainError } from './errors.js';
import { idToUuid, newId, newIdentity, newUuid, uuidToId, uuidV7Floor, uuidV7Time } from './ids.js';

describe('ids', () => {
  it('go to the database and back', () => {
    const id = newId('delivery');
    expect(id).toMatch(/^dlv_[0-9a-z]{26}$/);
    expect(uuidToId('delivery', idToUuid('delivery', id))).toBe(id);
  });

  it.each([
    ['another kind', newId('event')],
    ['no prefix', newId('delivery').slice(4)],
    ['a word', 'dlv_x'],
    ['nothing', ''],
    ['more than 128 bits', `dlv_8${'z'.repeat(25)}`],
    ['a letter outside of the alphabet', `dlv_0${'u'.repeat(25)}`],
    ['another case', newId('delivery').toUpperCase()],
    ['a longer one', `${newId('delivery')}0`],
  ])('refuse %s', (_name, id) => {
    expect(() => idToUuid('delivery', id)).toThrow(DomainError);
  });

  it('are the UUID that the standard says', () => {
    // "valid-alphabet" of the TypeID specification
    expect(idToUuid('delivery', 'dlv_0123456789abcdefghjkmnpqrs')).toBe(
      '0110c853-1d09-52d8-d73e-1194e95b5f19',
    );
  });

  it('come with their UUID, by the standard', () => {
    for (let n = 0; n < 1_000; n++) {
      const { id, uuid } = newIdentity('event');
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(idToUuid('event', id)).toBe(uuid);
      expect(uuidToId('event', uuid)).toBe(id);
    }
  });

  it('are those of typeid-js, whatever the bits', () => {
    const typeId = fromUUID as (uuid: string, prefix: string) => string;
    for (let n = 0; n < 1_000; n++) {
      const uuid = crypto.randomUUID();
      const id = uuidToId('event', uuid);
      expect(id).toBe(typeId(uuid, 'evt'));
      expect(idToUuid('event', id)).toBe(toUUID(id as Parameters<typeof toUUID>[0]));
    }
  });

  it('are each greater than the one before and all different, however many there are in a millisecond', () => {
    const made = Array.from({ length: 20_000 }, newUuid);
    expect([...made].sort()).toEqual(made);
    expect(new Set(made.map((uuid) => uuid.slice(-12))).size).toBe(made.length);
  });

  it('tell their day', () => {
    const before = Date.now();
    const time = uuidV7Time(idToUuid('event', newId('event')));
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
    expect(uuidV7Time(uuidV7Floor(1_763_800_000_000))).toBe(1_763_800_000_000);
    expect(uuidV7Floor(1_763_800_000_000) < uuidV7Floor(1_763_800_000_001)).toBe(true);
  });
});
