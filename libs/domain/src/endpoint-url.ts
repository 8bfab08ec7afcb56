import { MAX_ENDPOINT_URL_LENGTH } from './policy-limits.js';

export type UrlScheme = 'http' | 'https';

export interface EndpointUrlRules {
  /** `http`, `https` or both. */
  schemes: readonly string[];
  /** Ports that may be addressed. Absent or empty: all. */
  ports?: readonly number[];
}

export type EndpointUrlProblemCode = 'too_long' | 'malformed' | 'scheme' | 'userinfo' | 'host' | 'port';

export interface EndpointUrlProblem {
  code: EndpointUrlProblemCode;
  /** For the caller; never repeats the URL, which may hold a password. */
  message: string;
}

// URL() silently drops or rewrites these, so what is stored would not be what was meant

const UNSAFE_CHARACTERS = /[\u0000-\u0020\u007f\\]/;

/**
 * What is wrong with an endpoint's URL, as far as its text tells; nothing when it may be saved and called. Which
 * addresses its host has is judged at connect time, every time.
 */
export function checkEndpointUrl(text: string, rules: EndpointUrlRules): EndpointUrlProblem[] {
  if (text.length > MAX_ENDPOINT_URL_LENGTH) {
    return [{ code: 'too_long', message: `must be at most ${MAX_ENDPOINT_URL_LENGTH} characters` }];
  }
  if (UNSAFE_CHARACTERS.test(text)) {
    return [{ code: 'malformed', message: 'must not contain spaces, control characters or backslashes' }];
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined)
    return [{ code: 'malformed', message: 'must be an absolute URL, e.g. https://example.com/hooks' }];
  if (!rules.schemes.includes(scheme)) {
    return [
      { code: 'scheme', message: `must begin with ${rules.schemes.map((s) => `${s}://`).join(' or ')}` },
    ];
  }
  // URL() accepts https:example.com and https:///example.com; both are mistakes
  if (!/^[^:]+:\/\/[^/?#]/.test(text)) return [{ code: 'host', message: 'must name a host' }];
  if (!URL.canParse(text)) return [{ code: 'malformed', message: 'is not a valid URL' }];
  return parsedProblems(new URL(text), rules);
}

function parsedProblems(url: URL, rules: EndpointUrlRules): EndpointUrlProblem[] {
  const problems: EndpointUrlProblem[] = [];
  if (url.username !== '' || url.password !== '') {
    problems.push({
      code: 'userinfo',
      message: 'must not contain a user name or password; use headers instead',
    });
  }
  if (url.hostname === '' || url.hostname === '.')
    problems.push({ code: 'host', message: 'must name a host' });
  if (url.port === '0') problems.push({ code: 'port', message: 'must not use port 0' });
  const ports = rules.ports ?? [];
  if (ports.length > 0 && !ports.includes(urlPort(url))) {
    problems.push({ code: 'port', message: `must use one of the allowed ports: ${ports.join(', ')}` });
  }
  return problems;
}

/** The port a URL addresses, its scheme's default included. */
export function urlPort(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}
