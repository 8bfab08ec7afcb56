import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiSecurity } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Scope } from '@hookstream/domain';
import { Access } from '../auth/access.decorator.js';

type FailureStatus = 400 | 404 | 409 | 413 | 415 | 422 | 429 | 503;

const FAILURES: Readonly<Record<FailureStatus | 401 | 403, string>> = {
  400: 'The body is not JSON.',
  401: 'No valid credentials.',
  403: 'The credentials do not allow this.',
  404: 'There is no such object.',
  409: 'The state of the object does not allow this.',
  413: 'The body is too large.',
  415: 'The body is not declared as JSON.',
  422: 'Fields are not valid; `errors` names each.',
  429: 'The tenant may not post more at the moment; try again after `Retry-After`. `RateLimit-*` tell its rate.',
  503: 'Something this needs cannot be reached; try again after `Retry-After`.',
};

interface OperationOptions {
  summary: string;
  description?: string;
  /** What the caller must be allowed: a key's scope, the operator's token, or nothing. */
  access: Scope | 'operator' | 'public';
  status: 200 | 201 | 202 | 204;
  answer?: z.ZodType;
  answerDescription?: string;
  failures?: readonly FailureStatus[];
}

/** All that is said of a route beside its path: who may call it, what it answers, how it fails. */
export function Operation(options: OperationOptions): MethodDecorator {
  const guarded = options.access !== 'public';
  const failures: (keyof typeof FAILURES)[] = [
    ...(guarded ? ([401, 403] as const) : []),
    ...(options.failures ?? []),
  ];
  return applyDecorators(
    Access(options.access),
    HttpCode(options.status),
    ApiOperation({
      summary: options.summary,
      description: [options.description, scopeNote(options.access)].filter(Boolean).join('\n\n'),
      ...(guarded ? {} : { security: [] }),
    }),
    ...(guarded ? securityOf(options.access) : []),
    ApiResponse({
      status: options.status,
      description: options.answerDescription ?? (options.status === 204 ? 'Done.' : 'As asked.'),
      ...(options.answer === undefined ? {} : { standardSchema: options.answer }),
    }),
    ...failures.map((status) =>
      ApiResponse({
        status,
        description: FAILURES[status],
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      }),
    ),
  );
}

function scopeNote(access: OperationOptions['access']): string | undefined {
  if (access === 'public') return undefined;
  return access === 'operator' ? 'For the operator only.' : `Needs the scope \`${access}\`.`;
}

function securityOf(access: OperationOptions['access']): (MethodDecorator & ClassDecorator)[] {
  return access === 'operator'
    ? [ApiSecurity('operator_token')]
    : [ApiSecurity('api_key'), ApiSecurity('api_key_header')];
}
