import type { FastifyInstance } from 'fastify';

/** What a caller is told of its rate, as `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`. */
export interface RateLimitState {
  /** Requests at once, at most. */
  limit: number;
  remaining: number;
  /** Until more may come, or until all may. */
  resetSeconds: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by what holds the request to a rate. */
    rateLimit: RateLimitState | null;
  }
}

/** Tells every caller that is held to a rate, whatever the answer is. https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/06/ */
export function registerRateLimitHeaders(fastify: FastifyInstance): void {
  fastify.decorateRequest('rateLimit', null);
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const { rateLimit } = request;
    if (rateLimit !== null) {
      void reply.headers({
        'ratelimit-limit': rateLimit.limit,
        'ratelimit-remaining': rateLimit.remaining,
        'ratelimit-reset': rateLimit.resetSeconds,
      });
    }
    done(null, payload);
  });
}
