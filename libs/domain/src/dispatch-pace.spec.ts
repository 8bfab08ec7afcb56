// Pure: how fast an endpoint is started on, by how long its answers take.
import {
  averageWith,
  nextStartDueAt,
  paceOf,
  startSpacingMs,
  type AnswerTimes,
  type Pace,
} from './dispatch-pace.js';

const RULES = { slowMs: 1_000, untimedInFlight: 10 };
const answers = (averageMs: number | undefined, unansweredMs = 0): AnswerTimes => ({
  averageMs,
  unansweredMs,
});

describe('averageWith', () => {
  it('begins with the first answer and follows the next ones slowly', () => {
    expect(averageWith(undefined, 5_000)).toBe(5_000);
    expect(averageWith(5_000, 1_000)).toBe(4_500);
  });
});

describe('startSpacingMs', () => {
  it.each<[string, AnswerTimes, number, number]>([
    ['nothing where answers are fast', answers(999), 100, 0],
    ['what keeps the limit under way where they are slow, a tenth less', answers(5_500), 100, 50],
    ['more where fewer may be under way', answers(5_500), 5, 1_000],
    ['by the silence where that is longer than answers were', answers(20, 11_000), 100, 100],
    ['nothing for a short silence', answers(20, 999), 100, 0],
    ['as if just slow where no answer was timed, by the few that may go', answers(undefined), 100, 100 / 1.1],
    ['no more than that for a silence there', answers(undefined, 11_000), 100, 100 / 1.1],
    ['by the limit where even fewer may go', answers(undefined), 5, 200 / 1.1],
  ])('is %s', (_, times, limit, expected) => {
    expect(startSpacingMs(times, limit, RULES)).toBeCloseTo(expected);
  });
});

describe('paceOf', () => {
  const NOW = 10_000;
  const slow = { times: answers(5_000), limit: 100, spacingMs: 50, inFlight: 30 };
  const untimed = { times: answers(undefined), limit: 100, spacingMs: 100, inFlight: 3 };

  it.each<[string, Parameters<typeof paceOf>[0], Pace]>([
    [
      'lets anything go where nothing is to be spread',
      { ...slow, times: answers(20), spacingMs: 0, dueAt: NOW + 999 },
      { most: Infinity, nextInMs: null, awaitsAnswer: false },
    ],
    ['lets one go that is due', { ...slow, dueAt: NOW }, { most: 1, nextInMs: 50, awaitsAnswer: false }],
    ['lets none go before', { ...slow, dueAt: NOW + 30 }, { most: 0, nextInMs: 30, awaitsAnswer: false }],
    [
      'looks again no sooner than is worth a claim',
      { ...slow, dueAt: NOW + 3 },
      { most: 0, nextInMs: 20, awaitsAnswer: false },
    ],
    [
      'makes up for a late start',
      { ...slow, dueAt: NOW - 30 },
      { most: 1, nextInMs: 20, awaitsAnswer: false },
    ],
    [
      'and not for more than a little',
      { ...slow, spacingMs: 10, dueAt: 0 },
      { most: 6, nextInMs: 20, awaitsAnswer: false },
    ],
    [
      'feels its way while no answer was timed',
      { ...untimed, dueAt: NOW },
      { most: 1, nextInMs: 100, awaitsAnswer: true },
    ],
    [
      'and waits for an answer once all that may go without one have gone',
      { ...untimed, inFlight: 10, dueAt: NOW },
      { most: 0, nextInMs: null, awaitsAnswer: true },
    ],
  ])('%s', (_, endpoint, expected) => {
    expect(paceOf(endpoint, NOW, RULES)).toEqual(expected);
  });

  it('fills an endpoint up without waves, and keeps it full', () => {
    const [limit, answerMs, seconds] = [100, 5_000, 60];
    const ends: number[] = [];
    const starts: number[] = [];
    let [averageMs, dueAt, lastAnswer]: [number | undefined, number, number] = [undefined, -Infinity, 0];
    for (let now = 0; now < seconds * 1_000; now += 5) {
      while (ends[0] !== undefined && ends[0] <= now) {
        lastAnswer = ends.shift() as number;
        averageMs = averageWith(averageMs, answerMs);
      }
      const times = answers(averageMs, ends.length > 0 ? now - lastAnswer : 0);
      const spacingMs = startSpacingMs(times, limit, RULES);
      const { most } = paceOf({ times, limit, spacingMs, dueAt, inFlight: ends.length }, now, RULES);
      for (let n = Math.min(most, limit - ends.length); n > 0; n--) {
        starts.push(now);
        ends.push(now + answerMs);
        dueAt = nextStartDueAt(dueAt, spacingMs, now);
      }
    }
    const inQuarters = new Map<number, number>();
    for (const start of starts) {
      const quarter = Math.floor(start / 250);
      inQuarters.set(quarter, (inQuarters.get(quarter) ?? 0) + 1);
    }
    // evenly it would be 5
    expect(Math.max(...inQuarters.values())).toBeLessThanOrEqual(8);
    const full = (seconds - 15) * (limit / (answerMs / 1_000));
    expect(starts.filter((start) => start >= 15_000).length).toBeGreaterThan(full * 0.97);
  });
});

describe('nextStartDueAt', () => {
  it.each([
    ['after the last one that was due', 1_000, 1_010, 1_050],
    ['ahead when starts go before they are due', 1_040, 1_010, 1_090],
    ['from now on after a rest', -Infinity, 1_010, 1_010],
  ])('is one spacing on: %s', (_, dueAt, now, expected) => {
    expect(nextStartDueAt(dueAt, 50, now)).toBe(expected);
  });
});
