import { z } from 'zod';

export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string().meta({ description: 'A stable name of what went wrong.' }),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    request_id: z
      .string()
      .meta({ description: 'Also in the `X-Request-Id` header; name it when you ask for help.' }),
  })
  .meta({
    id: 'Problem',
    description: 'An error, RFC 9457.',
    examples: [
      {
        type: 'urn:hookstream:problem:validation_failed',
        title: 'Unprocessable Entity',
        status: 422,
        detail: 'One field is not valid.',
        code: 'validation_failed',
        errors: [{ field: 'url', message: 'is required' }],
        request_id: 'req_0d9a3c7e-6a3e-4c86-9f2b-0d9f4f6f1f54',
      },
    ],
  });
