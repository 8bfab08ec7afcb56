/** Of the source of one pattern, in characters. */
const MAX_PATTERN_LENGTH = 512;

/** A regular expression without what cannot be matched in linear time. */
export type PatternNode =
  | { kind: 'char'; code: number }
  /** Source of what stands for one character: `.`, a class or an escape. */
  | { kind: 'set'; source: string }
  | { kind: 'assert'; which: '^' | '$' | 'b' | 'B' }
  | { kind: 'sequence' | 'choice'; parts: PatternNode[] }
  | { kind: 'repeat'; part: PatternNode; min: number; max: number };

const ONE_CHARACTER_ESCAPE =
  /^\\(?:u\{[0-9a-f]+\}|u[0-9a-f]{4}(?:\\u[0-9a-f]{4})?|x[0-9a-f]{2}|p\{[^}]*\}|c[a-z]|[^])/iu;
const SURROGATE_PAIR = /^\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}$/i;
const QUANTIFIER = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;

/**
 * Reads a pattern with the meaning of the `u` flag.
 * @throws SyntaxError that says what is wrong with it or why it cannot be used
 */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_PATTERN_LENGTH) {
    throw new SyntaxError(`The pattern has more than ${MAX_PATTERN_LENGTH} characters`);
  }
  // JavaScript's own reader finds what is malformed, so that below it need not be looked for
  new RegExp(source, 'u');
  return new PatternReader(source).read();
}

class PatternReader {
  private at = 0;

  constructor(private readonly source: string) {}

  read(): PatternNode {
    return this.choice();
  }

  private get rest(): string {
    return this.source.slice(this.at);
  }

  private choice(): PatternNode {
    const parts = [this.sequence()];
    while (this.source[this.at] === '|') {
      this.at += 1;
      parts.push(this.sequence());
    }
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'choice', parts };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.at < this.source.length && !'|)'.includes(this.source.charAt(this.at))) {
      parts.push(this.quantified(this.atom()));
    }
    return { kind: 'sequence', parts };
  }

  private atom(): PatternNode {
    switch (this.source[this.at]) {
      case '(':
        return this.group();
      case '[':
        return { kind: 'set', source: this.take(this.classLength()) };
      case '\\':
        return this.escape();
      case '.':
        return { kind: 'set', source: this.take(1) };
      case '^':
      case '$':
        return { kind: 'assert', which: this.take(1) as '^' | '$' };
      default: {
        const code = this.source.codePointAt(this.at) ?? 0;
        this.at += code > 0xffff ? 2 : 1;
        return { kind: 'char', code };
      }
    }
  }

  private group(): PatternNode {
    const opening = /^\((?:\?:|\?<[^=!][^>]*>|(?!\?))/.exec(this.rest)?.[0];
    if (opening === undefined) {
      throw new SyntaxError('The pattern uses look-around or flags, which are not supported');
    }
    this.at += opening.length;
    const inner = this.choice();
    this.at += 1;
    return inner;
  }

  private escape(): PatternNode {
    const text = ONE_CHARACTER_ESCAPE.exec(this.rest)?.[0] ?? '';
    const name = text.charAt(1);
    if (name === 'b' || name === 'B') return this.advance(2, { kind: 'assert', which: name });
    if (/[1-9k]/.test(name)) {
      throw new SyntaxError('The pattern uses back-references, which are not supported');
    }
    // two \u escapes are one character only as a surrogate pair
    const isTwo = text.length === 12 && !SURROGATE_PAIR.test(text);
    return { kind: 'set', source: this.take(isTwo ? 6 : text.length) };
  }

  private classLength(): number {
    let at = this.at + 1;
    while (this.source[at] !== ']') at += this.source[at] === '\\' ? 2 : 1;
    return at + 1 - this.at;
  }

  private quantified(part: PatternNode): PatternNode {
    const text = QUANTIFIER.exec(this.rest)?.[0];
    if (text === undefined) return part;
    this.at += text.length;
    if (text.startsWith('*')) return { kind: 'repeat', part, min: 0, max: Infinity };
    if (text.startsWith('+')) return { kind: 'repeat', part, min: 1, max: Infinity };
    if (text.startsWith('?')) return { kind: 'repeat', part, min: 0, max: 1 };
    const [min = '0', max] = text.replace(/[{}?]/g, '').split(',');
    return {
      kind: 'repeat',
      part,
      min: Number(min),
      max: max === undefined ? Number(min) : max === '' ? Infinity : Number(max),
    };
  }

  private take(length: number): string {
    const text = this.source.slice(this.at, this.at + length);
    this.at += length;
    return text;
  }

  private advance(length: number, node: PatternNode): PatternNode {
    this.at += length;
    return node;
  }
}
