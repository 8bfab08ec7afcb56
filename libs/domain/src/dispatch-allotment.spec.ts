// Pure: how a worker's room is divided among the queues.
import { allotRoom, type RoomInUse, type WaitingQueue } from './dispatch-allotment.js';

const queue = (name: string, overrides: Partial<WaitingQueue> = {}): WaitingQueue => ({
  tenantId: name[0] as string,
  endpointId: name,
  weight: 1,
  free: 1_000_000,
  tenantFree: Infinity,
  ...overrides,
});

function use(room: number, capacity: number, inUse: Record<string, number> = {}): RoomInUse {
  const endpoints = new Map(Object.entries(inUse));
  const tenants = new Map<string, number>();
  for (const [name, n] of endpoints)
    tenants.set(name[0] as string, (tenants.get(name[0] as string) ?? 0) + n);
  const total = [...endpoints.values()].reduce((sum, n) => sum + n, 0);
  return { room, capacity, total, tenants, endpoints };
}

const taken = (queues: WaitingQueue[], inUse: RoomInUse) =>
  Object.fromEntries(allotRoom(queues, inUse).takes);

describe('allotRoom', () => {
  it.each<[string, WaitingQueue[], RoomInUse, Record<string, number>]>([
    ['gives nothing without queues', [], use(10, 100), {}],
    [
      'divides evenly among tenants, then their endpoints',
      [queue('a1'), queue('a2'), queue('b1')],
      use(8, 100),
      { a1: 2, a2: 2, b1: 4 },
    ],
    ['divides by weight', [queue('a1', { weight: 3 }), queue('b1')], use(8, 1_000), { a1: 6, b1: 2 }],
    [
      'gives what a queue may not take to the others',
      [queue('a1', { free: 1 }), queue('b1')],
      use(8, 100),
      { a1: 1, b1: 7 },
    ],
    [
      'keeps to the limit of the tenant over all its endpoints',
      [queue('a1', { tenantFree: 3 }), queue('a2', { tenantFree: 3 })],
      use(8, 100),
      { a1: 2, a2: 1 },
    ],
    [
      'gives nothing to who may take none',
      [queue('a1', { free: 0 }), queue('b1', { tenantFree: 0 })],
      use(8, 100),
      {},
    ],
    [
      'evens out what is under way already',
      [queue('a1'), queue('b1')],
      use(6, 100, { a1: 4 }),
      { a1: 1, b1: 5 },
    ],
    [
      'gives the first in turn the room that is too small for all',
      [queue('c1'), queue('a1'), queue('b1')],
      use(2, 100),
      { c1: 1, a1: 1 },
    ],
    [
      'gives one to who holds nothing, whatever its weight',
      [queue('b1', { weight: 0.001 })],
      use(1, 10, { a1: 9 }),
      { b1: 1 },
    ],
    ['gives nothing when all is under way', [queue('b1')], use(0, 10, { a1: 10 }), {}],
  ])('%s', (_, queues, inUse, expected) => {
    expect(taken(queues, inUse)).toEqual(expected);
  });

  it('lets one tenant alone use most of the worker and leaves room for whom comes next', () => {
    const { takes, wantsRoom } = allotRoom([queue('a1')], use(500, 500));
    expect(takes.get('a1')).toBeGreaterThan(400);
    expect(takes.get('a1')).toBeLessThan(430);
    expect(wantsRoom).toBe(true);
  });

  it('lets a dead endpoint neither take the room of its tenant nor that of others', () => {
    const dead = allotRoom([queue('a1')], use(500, 500)).takes.get('a1') ?? 0;
    const inUse = use(500, 500, { a1: dead });
    expect(taken([queue('a1')], inUse)).toEqual({});
    const {
      a1,
      a2 = 0,
      b1 = 0,
    } = taken([queue('a1'), queue('a2', { free: 20 }), queue('b1', { free: 20 })], inUse);
    expect(a1).toBeUndefined();
    expect(a2).toBeGreaterThan(4);
    expect(b1).toBe(20);
  });

  it('takes back by and by what was given while there was room: the share of many is the same', () => {
    const names = ['a1', 'b1', 'c1', 'd1'];
    const held: Record<string, number> = { a1: 420 };
    for (let round = 0; round < 2_000; round++) {
      const takes = taken(
        names.map((name) => queue(name)),
        use(5, 500, held),
      );
      for (const [name, n] of Object.entries(takes)) held[name] = (held[name] ?? 0) + n;
      // all are equally slow: the most likely to end is one of who holds most
      const ending = names.reduce((most, name) => ((held[name] ?? 0) > (held[most] ?? 0) ? name : most));
      held[ending] = (held[ending] ?? 0) - 2;
    }
    for (const name of names) expect(held[name]).toBeGreaterThan(100);
    for (const name of names) expect(held[name]).toBeLessThan(130);
  });

  it('tells whether something was left for want of room', () => {
    expect(allotRoom([queue('a1', { free: 3 })], use(10, 100)).wantsRoom).toBe(false);
    expect(allotRoom([queue('a1', { free: 3 })], use(2, 100)).wantsRoom).toBe(true);
    expect(allotRoom([queue('a1', { free: 0 })], use(2, 100)).wantsRoom).toBe(false);
    expect(allotRoom([queue('a1', { free: 5, tenantFree: 2 })], use(9, 100)).wantsRoom).toBe(false);
  });

  it('serves every queue in turn when the caller begins behind the last one served', () => {
    const names = Array.from({ length: 20 }, (_, i) => `${String.fromCharCode(97 + i)}1`);
    const served = new Map<string, number>();
    let first = 0;
    for (let round = 0; round < 20; round++) {
      const turn = [...names.slice(first), ...names.slice(0, first)];
      const takes = Object.keys(
        taken(
          turn.map((name) => queue(name)),
          use(3, 100),
        ),
      );
      for (const name of takes) served.set(name, (served.get(name) ?? 0) + 1);
      first = (names.indexOf(takes.at(-1) as string) + 1) % names.length;
    }
    expect([...served.values()]).toEqual(names.map(() => 3));
  });
});
