import { isUtf8 } from 'node:buffer';
import { DomainError } from '@hookstream/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it was sent, so that a caller's numbers and order survive. Empty when there was none. */
    bodyText: string;
  }
}

/** Reads JSON bodies and keeps their text. Any other content type is a 415. */
export function registerJsonBody(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.decorateRequest('bodyText', '');
  fastify.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done) => {
      try {
        done(null, parse(request, body));
      } catch (error) {
        done(error as Error);
      }
    },
  );
}

function parse(request: FastifyRequest, body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new DomainError('invalid_request', 'The body is not valid UTF-8.');
  request.bodyText = body.toString('utf8');
  try {
    return JSON.parse(request.bodyText) as unknown;
  } catch (error) {
    // V8's message quotes the text around the fault, which may hold what must not be logged or shown
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    throw new DomainError(
      'invalid_request',
      at === undefined ? 'The body is not valid JSON.' : `The body is not valid JSON (at position ${at}).`,
    );
  }
}
