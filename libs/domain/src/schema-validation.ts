/** What becomes of an event that its type's schema does not allow. `warn`: it is accepted and flagged. */
export const SCHEMA_VALIDATIONS = ['off', 'warn', 'reject'] as const;
export type SchemaValidation = (typeof SCHEMA_VALIDATIONS)[number];

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Record<string, unknown>;
