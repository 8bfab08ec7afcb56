import { z } from 'zod';

const indicators = z.record(z.string(), z.object({ status: z.string() }).catchall(z.unknown()));

export const HealthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'error', 'shutting_down']),
    info: indicators.optional(),
    error: indicators.optional(),
    details: indicators,
  })
  .meta({
    id: 'Health',
    examples: [
      {
        status: 'ok',
        info: { postgres: { status: 'up' } },
        error: {},
        details: { postgres: { status: 'up' } },
      },
    ],
  });
