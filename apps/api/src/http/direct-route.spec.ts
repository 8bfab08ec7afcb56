// A real Fastify; Nest's handler is a stand-in.
import Fastify from 'fastify';
import { answerDirectly } from './direct-route.js';

describe('answering a route directly', () => {
  it('takes the place of the handler and of nothing else', async () => {
    const fastify = Fastify();
    const seen: string[] = [];
    fastify.addHook('onRequest', (request, _reply, done) => {
      seen.push(request.url);
      done();
    });
    answerDirectly(fastify, { method: 'POST', url: '/events' }, async () => Promise.resolve('direct'));
    fastify.post('/events', () => 'nest');
    fastify.get('/events', () => 'nest');
    fastify.post('/events/batch', () => 'nest');
    const answer = async (method: 'GET' | 'POST', url: string): Promise<string> =>
      (await fastify.inject({ method, url })).body;
    expect(await answer('POST', '/events')).toBe('direct');
    expect(await answer('GET', '/events')).toBe('nest');
    expect(await answer('POST', '/events/batch')).toBe('nest');
    expect(seen).toEqual(['/events', '/events', '/events/batch']);
    await fastify.close();
  });

  it('does not start where nobody declares the route', async () => {
    const fastify = Fastify();
    answerDirectly(fastify, { method: 'POST', url: '/events' }, async () => Promise.resolve('direct'));
    await expect(fastify.ready()).rejects.toThrow('No controller has a route POST /events');
  });
});
