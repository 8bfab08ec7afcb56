// RFC 9110, 5.6.7: the preferred form and the two obsolete ones that must still be understood. All are in GMT.
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const TIME = '\\d{2}:\\d{2}:\\d{2}';
const IMF_FIXDATE = new RegExp(`^${DAY}, \\d{2} ${MONTH} \\d{4} ${TIME} GMT$`);
const RFC_850 = new RegExp(`^${LONG_DAY}, \\d{2}-${MONTH}-\\d{2} ${TIME} GMT$`);
const ASCTIME = new RegExp(`^${DAY} ${MONTH} [ \\d]\\d ${TIME} \\d{4}$`);

/**
 * The wait that a `Retry-After` header asks for (RFC 9110, 10.2.3), in milliseconds from now; 0 for a moment
 * that is past; undefined when there is none or it is neither seconds nor an HTTP-date.
 * @param nowMs unix milliseconds
 */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, Number.MAX_SAFE_INTEGER);
  const at = parseHttpDate(text);
  return at === undefined ? undefined : Math.max(0, at - nowMs);
}

function parseHttpDate(text: string): number | undefined {
  let normal: string;
  if (IMF_FIXDATE.test(text) || RFC_850.test(text)) normal = text;
  else if (ASCTIME.test(text)) normal = `${text} GMT`;
  else return undefined;
  const at = Date.parse(normal);
  return Number.isNaN(at) ? undefined : at;
}
