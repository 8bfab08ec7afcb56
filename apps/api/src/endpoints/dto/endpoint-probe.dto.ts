import { z } from 'zod';
import { AttemptSchema } from '../../deliveries/dto/delivery.dto.js';
import { answeredTime } from '../../http/fields.dto.js';

export const VerificationSchema = z
  .object({
    verified: z.boolean().meta({ description: 'Whether this challenge was echoed in a 2xx answer.' }),
    verified_at: answeredTime.nullable(),
    attempt: AttemptSchema,
  })
  .meta({ id: 'EndpointVerification' });
export type VerificationAnswer = z.input<typeof VerificationSchema>;
