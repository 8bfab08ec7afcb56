import { InvalidArgumentError } from 'commander';

const MAX_NAME_LENGTH = 200;

/** A name for people, as the API takes it. */
export function nameOption(text: string): string {
  const name = text.trim();
  if (name === '' || name.length > MAX_NAME_LENGTH)
    throw new InvalidArgumentError(`It must have 1 to ${MAX_NAME_LENGTH} characters.`);
  return name;
}

/** A whole number within bounds. */
export function wholeOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** A moment in the future. */
export function futureOption(text: string): Date {
  const value = new Date(text);
  if (!(value.getTime() > Date.now()))
    throw new InvalidArgumentError('It must be a time in the future, such as 2030-01-31T09:30:00Z.');
  return value;
}
