import type { FieldError } from '@hookstream/domain';
import type { ErrorObject } from 'ajv';

const MAX_FIELD = 512;
const MAX_MESSAGE = 512;
/** Keywords whose failure is told by those inside them. */
const SUMMARIES = new Set(['if', 'anyOf', 'oneOf', 'allOf', 'not', 'propertyNames']);
/** The parameter of a keyword that names the member at fault, and what to say of it. */
const MEMBERS: Readonly<Record<string, readonly [string, string]>> = {
  required: ['missingProperty', 'is required'],
  dependentRequired: ['missingProperty', 'is required'],
  additionalProperties: ['additionalProperty', 'is not a known field'],
  unevaluatedProperties: ['unevaluatedProperty', 'is not a known field'],
};

/** What Ajv found, for a person: dotted paths below `root`, each said once, particulars before summaries. */
export function schemaErrors(errors: readonly ErrorObject[], root: string): FieldError[] {
  const sorted = [...errors].sort(
    (a, b) => Number(SUMMARIES.has(a.keyword)) - Number(SUMMARIES.has(b.keyword)),
  );
  const byText = new Map<string, FieldError>();
  for (const error of sorted) {
    const told = fieldError(error, root);
    byText.set(`${told.field} ${told.message}`, told);
  }
  return [...byText.values()];
}

function fieldError(error: ErrorObject, root: string): FieldError {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const params = error.params as Record<string, unknown>;
  const [parameter, said] = MEMBERS[error.keyword] ?? [];
  const member = parameter === undefined ? undefined : params[parameter];
  const field = [root, ...path, ...(typeof member === 'string' ? [member] : [])].join('.');
  return { field: plain(field, MAX_FIELD), message: plain(said ?? messageOf(error, params), MAX_MESSAGE) };
}

function messageOf(
  { keyword, message = 'is not valid' }: ErrorObject,
  params: Record<string, unknown>,
): string {
  if (keyword === 'enum') return `must be one of ${JSON.stringify(params['allowedValues'])}`;
  if (keyword === 'const') return `must be ${JSON.stringify(params['allowedValue'])}`;
  return message;
}

/** Short and storable: names in events may be of any length and hold what Postgres does not take. */
function plain(text: string, max: number): string {
  const clean = text.replace(/[\0\p{Surrogate}]/gu, '\ufffd');
  return clean.length > max ? `${clean.slice(0, max - 1).replace(/\p{Surrogate}$/u, '')}…` : clean;
}
