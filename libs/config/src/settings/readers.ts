// How the text of a setting is read. Each says what is wrong as what it must be, never with the value.
import { z } from 'zod';

export const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

export const rate = z
  .string()
  .regex(/^\d+(?:\.\d+)?$/, 'must be a number from 0 to 1000000')
  .transform(Number)
  .refine((n) => n <= 1_000_000, 'must be a number from 0 to 1000000');

/** Separated by commas; blanks around items and empty items do not count. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** `name=value,…` with percent-encoded values, as OpenTelemetry writes headers and attributes in its variables (W3C Baggage). */
export const pairs = z.string().transform((text, context): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [name, value] = splitOnce(pair);
    try {
      if (name === '' || value === undefined) throw new Error('no pair');
      found[name] = decodeURIComponent(value);
    } catch {
      context.addIssue('must be name=value, several separated by commas, with percent-encoded values');
    }
  }
  return found;
});

function splitOnce(pair: string): [string, string | undefined] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair.trim(), undefined] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
}

export const cidr = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]+)\/\d{1,3}$/;

/** @param protocols as `URL` has them, with the colon */
export const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** @param atLeast characters */
export const text = (atLeast = 1) =>
  z.string().min(atLeast, atLeast === 1 ? 'must not be empty' : `must have at least ${atLeast} characters`);
