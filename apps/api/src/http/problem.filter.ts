import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { DomainError, LimitError } from '@hookstream/domain';
import type { Logger } from '@hookstream/observability';
import { isPostgresUnavailable } from '@hookstream/persistence';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER } from '../platform/tokens.js';
import { codeOf, problem, RETRY_AFTER_SECONDS, statusOf, type Problem } from './problem.js';

/** The one place where a failure becomes an answer. What nobody expected is logged with its stack and tells the caller nothing. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const answer = this.toProblem(exception, request);
    const retryAfter = exception instanceof LimitError ? exception.retryAfterSeconds : undefined;
    sendProblem(http.getResponse<FastifyReply>(), answer, retryAfter);
  }

  private toProblem(exception: unknown, request: FastifyRequest): Problem {
    const known = toDomainError(exception);
    if (known && statusOf(known.code) < 500) {
      return problem(statusOf(known.code), publicCode(known), request.id, known.message, known.errors);
    }
    if (known && statusOf(known.code) === 503) {
      this.logger.warn({ ...about(request), code: known.code, err: known }, 'request refused for now');
      return problem(503, known.code, request.id, known.message);
    }
    const status = httpStatus(exception);
    if (status !== undefined && status < 500) {
      return problem(status, codeOf(status), request.id, httpDetail(exception, status));
    }
    this.logger.error({ ...about(request), err: exception }, 'request failed');
    return problem(500, 'internal_error', request.id);
  }
}

function about({ id, method, routeOptions, actor }: FastifyRequest): Record<string, unknown> {
  const tenant = actor?.kind === 'key' ? { tenant_id: actor.tenantId } : {};
  return { request_id: id, ...tenant, method, route: routeOptions.url };
}

/** Also for failures that Fastify finds before any route is known. */
export function sendProblem(reply: FastifyReply, answer: Problem, retryAfterSeconds?: number): void {
  reply.code(answer.status).header('content-type', 'application/problem+json; charset=utf-8');
  const retryAfter = answer.status === 503 ? RETRY_AFTER_SECONDS : retryAfterSeconds;
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer');
  void reply.send(JSON.stringify(answer));
}

function toDomainError(exception: unknown): DomainError | undefined {
  if (exception instanceof DomainError) return exception;
  if (!isPostgresUnavailable(exception)) return undefined;
  const unavailable = new DomainError(
    'database_unavailable',
    'The database cannot be reached at the moment.',
  );
  unavailable.cause = exception;
  return unavailable;
}

/** A malformed id names nothing: to the caller that is not found, like an id of somebody else. */
function publicCode(error: DomainError): string {
  return error.code === 'invalid_id' ? 'not_found' : error.code;
}

function httpStatus(exception: unknown): number | undefined {
  if (exception instanceof HttpException) return exception.getStatus();
  const status = (exception as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

function httpDetail(exception: unknown, status: number): string {
  if (status === 413) return 'The request body is larger than this server accepts.';
  if (status === 415) return 'The request body must be JSON, with content type application/json.';
  return exception instanceof Error ? exception.message : 'The request cannot be served.';
}
