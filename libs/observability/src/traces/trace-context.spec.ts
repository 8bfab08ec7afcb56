import { idToUuid, newId } from '@hookstream/domain';
import { readTraceparent, spanIdOf, traceIdOf } from './trace-context.js';

// Pure. The cases are those of https://www.w3.org/TR/trace-context/#traceparent-header-field-values.

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent', () => {
  it.each<[string | string[] | undefined, string | null]>([
    [`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    // of the flags only one is ours to pass on
    [`00-${TRACE}-${SPAN}-03`, `00-${TRACE}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-fe`, `00-${TRACE}-${SPAN}-00`],
    // what later versions add is not ours to understand
    [`cc-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-brings`, `00-${TRACE}-${SPAN}-01`],
    [`cc-${TRACE}-${SPAN}-01.what`, null],
    [`00-${TRACE}-${SPAN}-01-more`, null],
    [`ff-${TRACE}-${SPAN}-01`, null],
    [`00-${'0'.repeat(32)}-${SPAN}-01`, null],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, null],
    [`00-${TRACE.slice(1)}-${SPAN}-01`, null],
    [`00-${TRACE}-${SPAN}`, null],
    // sent twice, as Node joins it
    [`00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, null],
    [[`00-${TRACE}-${SPAN}-01`], null],
    ['', null],
    [undefined, null],
  ])('%j is read as %j', (header, read) => expect(readTraceparent(header)).toBe(read));

  it("the trace is the application's, or else the event's own", () => {
    const eventId = newId('event');
    expect(traceIdOf({ eventId, traceparent: `00-${TRACE}-${SPAN}-01` })).toBe(TRACE);
    expect(traceIdOf({ eventId, traceparent: null })).toBe(idToUuid('event', eventId).replaceAll('-', ''));
  });

  it('a span has the random half of the id that it stands for', () => {
    const ids = Array.from({ length: 1_000 }, () => newId('attempt'));
    const spans = ids.map((id) => spanIdOf('attempt', id));
    expect(new Set(spans).size).toBe(ids.length);
    for (const [index, id] of ids.entries()) {
      expect(spans[index]).toMatch(/^[0-9a-f]{16}$/);
      expect(
        idToUuid('attempt', id)
          .replaceAll('-', '')
          .endsWith(spans[index] as string),
      ).toBe(true);
    }
  });
});
