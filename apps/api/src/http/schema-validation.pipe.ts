import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { DomainError } from '@hookstream/domain';
import type { z } from 'zod';
import { fieldErrors } from './validation-issues.js';

/** Checks a body or query against the schema its parameter carries and hands on what the schema read. */
@Injectable()
export class SchemaValidationPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const schema = metadata.schema as z.ZodType | undefined;
    return schema === undefined ? value : validate(schema, value);
  }
}

/** @throws DomainError `validation_failed` that names every field at fault. */
export function validate<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = fieldErrors(result.error.issues);
  throw new DomainError('validation_failed', summary(errors.length), errors);
}

function summary(count: number): string {
  return count === 1 ? 'One field is not valid.' : `${count} fields are not valid.`;
}
