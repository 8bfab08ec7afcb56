import { readFile } from 'node:fs/promises';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read answers as they come
  body: any;
}

interface Media {
  schema?: object;
}
interface OperationObject {
  operationId: string;
  security?: Record<string, unknown>[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
}
export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, OperationObject>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}

export const OPENAPI_FILE = new URL('../../../apps/api/openapi/openapi.json', import.meta.url);
const PREFIX = '/api/v1';

/** Holds every answer against the committed contract, and strictly: a field the contract does not name is a failure. */
export class ContractChecker {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly compiled = new Map<string, ValidateFunction>();
  private readonly closed: object;

  private constructor(readonly document: OpenApiDocument) {
    // the package is CommonJS: its types and its ESM shape disagree
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.ajv);
    const text = JSON.stringify(closed(document)).replaceAll('"#/components/schemas/', '"components#/$defs/');
    const own = JSON.parse(text) as OpenApiDocument;
    this.ajv.addSchema({ $id: 'components', $defs: own.components.schemas });
    this.closed = own;
  }

  static async load(): Promise<ContractChecker> {
    return new ContractChecker(JSON.parse(await readFile(OPENAPI_FILE, 'utf8')) as OpenApiDocument);
  }

  get routes(): { method: string; path: string; operationId: string; security: string[] }[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path: path.slice(PREFIX.length),
        operationId: operation.operationId,
        security: (operation.security ?? []).flatMap((one) => Object.keys(one)),
      })),
    );
  }

  /** @throws Error when the contract knows the route and the answer is not as it says. */
  check(method: string, path: string, answer: Answer): void {
    const template = this.templateOf(path.split('?')[0] ?? path);
    const operation = template && this.document.paths[template]?.[method.toLowerCase()];
    if (!template || !operation) return;
    const where = `${method} ${path} → ${answer.status}`;
    const response = operation.responses[String(answer.status)];
    if (response === undefined) {
      // what any route may answer, whoever asks for it
      if ([400, 413, 415, 500].includes(answer.status)) return this.checkProblem(where, answer);
      throw new Error(`${where}: the contract has no such answer: ${answer.text}`);
    }
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    if (response.content === undefined) {
      if (answer.text !== '') throw new Error(`${where}: the contract says no body: ${answer.text}`);
      return;
    }
    if (response.content[type] === undefined) throw new Error(`${where}: unexpected content type "${type}"`);
    const pointer = [
      'paths',
      template,
      method.toLowerCase(),
      'responses',
      String(answer.status),
      'content',
      type,
      'schema',
    ];
    this.validate(where, pointer, answer.body);
    if (type === 'application/problem+json') this.checkProblem(where, answer);
  }

  /** @returns what is wrong with a value by the schema at a pointer of the document, or nothing. */
  problems(pointer: readonly string[], value: unknown): string | undefined {
    const key = pointer.join(' ');
    let validate = this.compiled.get(key);
    if (validate === undefined) {
      const at = (place: unknown, segment: string): unknown => (place as Record<string, unknown>)[segment];
      validate = this.ajv.compile(pointer.reduce(at, this.closed) as object);
      this.compiled.set(key, validate);
    }
    return validate(value) ? undefined : this.ajv.errorsText(validate.errors);
  }

  private validate(where: string, pointer: readonly string[], value: unknown): void {
    const wrong = this.problems(pointer, value);
    if (wrong !== undefined)
      throw new Error(`${where} breaks the contract: ${wrong}\n${JSON.stringify(value)}`);
  }

  private checkProblem(where: string, answer: Answer): void {
    this.validate(where, ['components', 'schemas', 'Problem'], answer.body);
    const body = answer.body as { status: number; request_id: string };
    if (body.status !== answer.status) throw new Error(`${where}: the problem says ${body.status}`);
    if (body.request_id !== answer.headers.get('x-request-id')) throw new Error(`${where}: two request ids`);
  }

  private templateOf(path: string): string | undefined {
    const segments = `${PREFIX}${path}`.split('/');
    const candidates = Object.keys(this.document.paths).filter((template) => {
      const parts = template.split('/');
      return (
        parts.length === segments.length &&
        parts.every((part, index) => part.startsWith('{') || part === segments[index])
      );
    });
    return candidates.find((template) => !template.includes('{')) ?? candidates[0];
  }
}

/** The document with every object schema closed, so that nothing unlisted gets out. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (value === null || typeof value !== 'object') return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  if (copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy)) {
    copy['additionalProperties'] = false;
  }
  return copy;
}
