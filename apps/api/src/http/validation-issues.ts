import type { FieldError } from '@hookstream/domain';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong, field by field, for a person. Fields are dotted paths; the whole body is called `body`. */
export function fieldErrors(issues: readonly Issue[], prefix: readonly PropertyKey[] = []): FieldError[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: fieldName([...path, key]), message: 'is not a known field' }));
    }
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      return fieldErrors(closestBranch(issue.errors), path);
    }
    if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
      return issue.issues.map((inner) => ({ field: fieldName(path), message: message(inner) }));
    }
    return [{ field: fieldName(path), message: message(issue) }];
  });
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'body' : path.map(String).join('.');
}

function message(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return 'is required';
  return issue.message.replace(/^Invalid input: /, '').replace(/^Too (?:big|small): /, '');
}

/** Of the alternatives, the one the caller most likely meant: the one with the least wrong. */
function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const weight = (branch: readonly Issue[]): number =>
    branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : 1), 0);
  return branches.reduce((best, branch) => (weight(branch) < weight(best) ? branch : best));
}
