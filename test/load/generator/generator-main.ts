// The load generator of the benches, a process of its own: what it costs is told apart from what it measures.
import { answerCalls } from '../children/child-calls.js';
import { EventPoster, type PosterOptions } from './event-poster.js';
import type { GeneratorHandlers } from './generator-protocol.js';
import { closedLoop, openLoop, type LoadResult } from './load-loops.js';

async function withPoster(
  options: PosterOptions,
  work: (poster: EventPoster) => Promise<LoadResult>,
): Promise<LoadResult> {
  const poster = new EventPoster(options);
  try {
    return await work(poster);
  } finally {
    poster.close();
  }
}

const handlers: GeneratorHandlers = {
  closedLoop: (input) =>
    withPoster(input, (poster) =>
      closedLoop({ ...input, concurrency: input.connections }, (number) => poster.post(number)),
    ),
  openLoop: (input) => withPoster(input, (poster) => openLoop(input, (number) => poster.post(number))),
};

answerCalls(handlers, () => Promise.resolve());
