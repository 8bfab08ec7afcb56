import type { FastifyReply, FastifyRequest } from 'fastify';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { ACCEPT_PATH, AcceptRoute } from './events/accept.route.js';
import { answerDirectly } from './http/direct-route.js';
import { registerJsonBody } from './http/json-body.js';
import { codeOf, problem } from './http/problem.js';
import { sendProblem } from './http/problem.filter.js';
import { registerRateLimitHeaders } from './http/rate-limit-headers.js';
import { requestId } from './http/request-id.js';
import { NestLogger } from './platform/nest-logger.js';
import type { ApiDependencies } from './platform/platform.module.js';
import { registerDocs } from './openapi/docs-page.js';
import { registerMetrics } from './metrics/metrics-route.js';
import { buildOpenApiDocument } from './openapi/openapi-document.js';

export const API_PREFIX = 'api/v1';

/** Longer than any id; a longer path segment is nothing of ours. */
const MAX_PARAMETER_LENGTH = 128;

/**
 * The application, ready to `listen`. It closes none of its dependencies.
 * @param preview routes and schemas only, nothing is instantiated: for the OpenAPI document
 */
export async function createApi(
  dependencies: ApiDependencies,
  { preview = false }: { preview?: boolean } = {},
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: dependencies.config.accept.maxBodyBytes,
    genReqId: requestId,
    requestIdHeader: false,
    logger: false,
    exposeHeadRoutes: false,
    // no Nest middleware is used anywhere
    skipMiddie: true,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    frameworkErrors: (error: { statusCode?: number }, request: FastifyRequest, reply: FastifyReply) => {
      const status = error.statusCode ?? 400;
      void reply.header('x-request-id', request.id);
      sendProblem(reply, problem(status, codeOf(status), request.id, 'The request line is not valid.'));
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(dependencies), adapter, {
    logger: new NestLogger(dependencies.logger),
    abortOnError: false,
    bodyParser: false,
    preview,
  });
  app.setGlobalPrefix(API_PREFIX);
  const fastify = app.getHttpAdapter().getInstance();
  registerJsonBody(fastify);
  registerRateLimitHeaders(fastify);
  fastify.decorateRequest('actor', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  if (preview) return app;
  const acceptRoute = app.get(AcceptRoute, { strict: false });
  answerDirectly(fastify, { method: 'POST', url: `/${API_PREFIX}/${ACCEPT_PATH}` }, (request, reply) =>
    acceptRoute.handle(request, reply),
  );
  registerMetrics(fastify, app);
  registerDocs(fastify, () => buildOpenApiDocument(app));
  return app;
}
