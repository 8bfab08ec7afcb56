import { Injectable } from '@nestjs/common';
import {
  DomainError,
  linearPattern,
  MAX_PATTERN_WORK,
  MAX_SCHEMA_ERRORS,
  MAX_SCHEMA_WORK,
  schemaBounds,
  type FieldError,
  type JsonSchema,
} from '@hookstream/domain';
import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import { canonicalJson } from './canonical-json.js';
import { schemaErrors } from './schema-errors.js';

/** Beyond this many characters of data, one violation is told and not all: each costs memory. */
const ALL_ERRORS_UP_TO = 65_536;

export interface CompiledSchema {
  /**
   * What the schema finds in the data of an event, the most telling first; nothing when it allows it.
   * @param length of the data's text, in characters
   */
  check(data: unknown, length: number): FieldError[];
}

/** A check that would take too long is a violation: it depends on the event alone, not on the load of the machine. */
class TooMuchWork extends Error {}

/**
 * Makes schemas of callers into checks. Each gets an Ajv of its own, so that none can refer to another's, and nothing is loaded
 * from elsewhere. `format` says nothing, as draft 2020-12 has it by default; `pattern` runs in linear time.
 */
@Injectable()
export class SchemaCompiler {
  private metaSchema: Ajv2020 | undefined;

  /** @throws DomainError `validation_failed` that says where the schema is at fault */
  compile(schema: JsonSchema): CompiledSchema {
    const { problems, size } = schemaBounds(schema);
    if (problems.length > 0) throw invalid(problems);
    this.checkAgainstDraft(schema);
    try {
      return new SchemaCheck(schema, size);
    } catch (error) {
      throw invalid([
        { field: 'schema', message: error instanceof Error ? error.message : 'cannot be used' },
      ]);
    }
  }

  private checkAgainstDraft(schema: JsonSchema): void {
    const ajv = (this.metaSchema ??= new Ajv2020({ validateFormats: false, strict: false, logger: false }));
    if (ajv.validateSchema(schema)) return;
    throw invalid(schemaErrors(ajv.errors ?? [], 'schema'));
  }
}

class SchemaCheck implements CompiledSchema {
  private readonly work = { left: 0 };
  private readonly first: ValidateFunction;
  private all: ValidateFunction | undefined;

  constructor(
    private readonly schema: JsonSchema,
    private readonly size: number,
  ) {
    this.first = this.compile(false);
  }

  check(data: unknown, length: number): FieldError[] {
    if (length * this.size > MAX_SCHEMA_WORK) return [refusal('is too large to be checked by this schema')];
    try {
      return this.run(this.first, data) ? [] : this.errors(data, length);
    } catch (error) {
      if (error instanceof TooMuchWork) return [refusal('has too much text to be checked by these patterns')];
      if (error instanceof RangeError) return [refusal('is nested too deeply to be checked')];
      throw error;
    }
  }

  private errors(data: unknown, length: number): FieldError[] {
    let used = this.first;
    if (length <= ALL_ERRORS_UP_TO) {
      used = this.all ??= this.compile(true);
      this.run(used, data);
    }
    return schemaErrors(used.errors ?? [], 'data').slice(0, MAX_SCHEMA_ERRORS);
  }

  private run(validate: ValidateFunction, data: unknown): boolean {
    this.work.left = MAX_PATTERN_WORK;
    return validate(data);
  }

  private compile(allErrors: boolean): ValidateFunction {
    const ajv = new Ajv2020({ ...this.options(), allErrors });
    ajv.removeKeyword('uniqueItems');
    // Ajv compares each item with each other one
    ajv.addKeyword({
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      error: { message: 'must NOT have duplicate items' },
      validate: (unique: boolean, items: unknown[]) =>
        !unique || new Set(items.map(canonicalJson)).size === items.length,
    });
    const { $id: _id, ...schema } = this.schema;
    return ajv.compile(schema);
  }

  private options(): Options {
    const regExp = Object.assign((source: string) => this.pattern(source), { code: 'linearPattern' });
    return {
      // checked against the draft before, by one compiled copy for all
      meta: false,
      validateSchema: false,
      // a keyword that does not exist is a slip of the pen that would let everything pass
      strictSchema: true,
      strictTypes: false,
      strictTuples: false,
      strictRequired: false,
      validateFormats: false,
      inlineRefs: false,
      ownProperties: true,
      logger: false,
      code: { regExp },
    };
  }

  private pattern(source: string): { test: (text: string) => boolean; toString: () => string } {
    const pattern = linearPattern(source);
    return {
      test: (text) => {
        this.work.left -= text.length * pattern.size;
        if (this.work.left < 0) throw new TooMuchWork();
        return pattern.test(text);
      },
      // Ajv tells patterns apart by this
      toString: () => `linear ${source}`,
    };
  }
}

function refusal(message: string): FieldError {
  return { field: 'data', message };
}

function invalid(problems: readonly FieldError[]): DomainError {
  return new DomainError('validation_failed', 'The schema cannot be used.', problems);
}
