import { InvalidArgumentError, type Command } from 'commander';
import { schemeOf, verifyWebhook } from '@hookstream/signing';
import { CommandError, type CliContext } from '../cli-context.js';
import { DeliveryListener } from '../listen/delivery-listener.js';
import { describeReceived } from '../listen/received-report.js';
import { TemporaryEndpoint } from '../listen/temporary-endpoint.js';
import { wholeOption } from './options.js';

interface ListenOptions {
  host: string;
  port: number;
  status: number;
  secret?: string;
  apiUrl: string;
  apiKey?: string;
  eventTypes?: string[];
  count?: number;
  body: boolean;
}

export function addListen(program: Command, context: CliContext): void {
  program
    .command('listen')
    .description('a receiver on this machine that shows every delivery and verifies its signature')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 picks a free one', wholeOption(0, 65_535), 0)
    .option('--secret <secret>', "the endpoint's secret, whsec_…, or its public key, whpk_…", secretOption)
    .option('--api-key <key>', 'make an endpoint for as long as this listens, with a key of the tenant')
    .option('--api-url <url>', 'of the API that makes it', 'http://127.0.0.1:3000')
    .option('--event-types <types...>', 'what that endpoint asks for; all unless given')
    .option('--status <code>', 'what deliveries are answered', wholeOption(200, 599), 204)
    .option('--count <n>', 'end after that many deliveries', wholeOption(1, 1_000_000))
    .option('--no-body', 'leave the payload out')
    .action((options: ListenOptions) => listen(context, options));
}

async function listen(context: CliContext, options: ListenOptions): Promise<void> {
  if (options.secret === undefined && options.apiKey === undefined)
    throw new CommandError('give --secret of an endpoint, or --api-key to make one for the time being');
  const listener = await DeliveryListener.start(options);
  const endpoint =
    options.apiKey === undefined
      ? undefined
      : await TemporaryEndpoint.create({
          ...{ apiUrl: options.apiUrl, apiKey: options.apiKey },
          ...{ url: listener.url, eventTypes: options.eventTypes ?? [] },
        }).catch(async (error: unknown) => {
          await listener.close();
          throw error;
        });
  const secret = options.secret ?? endpoint?.secret ?? '';
  context.tell(
    `listening on ${listener.url}${endpoint ? `, as endpoint ${endpoint.id}` : ''}; end with Ctrl-C`,
  );
  let refused = 0;
  try {
    const seen = new Set<string>();
    let shown = 0;
    for await (const received of listener.deliveries(context.stopping)) {
      const problem = verifyWebhook(received.body, received.headers, secret);
      if (problem !== undefined) refused += 1;
      for (const line of describeReceived(received, problem, seen, options.body)) context.print(line);
      shown += 1;
      if (shown === options.count) break;
    }
  } finally {
    await listener.close();
    await endpoint?.remove();
  }
  if (refused > 0) throw new CommandError(`${refused} of the requests did not verify`);
}

function secretOption(text: string): string {
  if (text.startsWith('whpk_')) return text;
  try {
    schemeOf(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
