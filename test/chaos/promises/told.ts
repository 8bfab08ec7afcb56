const SHOWN = 3;

/** One line for a broken promise that was broken `broken.length` times, with the first few; none when it never was. */
export function told(promise: string, broken: readonly string[]): string[] {
  if (broken.length === 0) return [];
  const more = broken.length > SHOWN ? `; and ${broken.length - SHOWN} more` : '';
  return [`${promise}: ${broken.length} times. ${broken.slice(0, SHOWN).join('; ')}${more}`];
}
