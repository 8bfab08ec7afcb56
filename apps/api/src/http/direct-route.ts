import type { FastifyInstance, RouteHandlerMethod } from 'fastify';

/**
 * Has Fastify call a route by itself instead of through Nest. To be called before Nest makes its routes: the controller's route stays what
 * is declared and documented, hooks and error handling stay as they are, and only what Nest does around a handler is left out.
 */
export function answerDirectly(
  fastify: FastifyInstance,
  { method, url }: { method: string; url: string },
  handler: RouteHandlerMethod,
): void {
  let found = false;
  fastify.addHook('onRoute', (route) => {
    if (route.method !== method || route.url !== url) return;
    route.handler = handler;
    found = true;
  });
  fastify.addHook('onReady', (done) => {
    done(found ? undefined : new Error(`No controller has a route ${method} ${url}`));
  });
}
