import { DomainError } from './errors.js';
import { idToUuid, newId, uuidToId, uuidV7Floor, uuidV7Time } from './ids.js';

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
  ])('refuse %s', (_name, id) => {
    expect(() => idToUuid('delivery', id)).toThrow(DomainError);
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
