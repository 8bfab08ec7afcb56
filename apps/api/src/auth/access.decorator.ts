import { SetMetadata } from '@nestjs/common';
import type { Scope } from '@hookstream/domain';

export const ACCESS = 'hookstream:access';

/** Who may call a route. A route that says nothing is refused to everybody. */
export const Access = (access: Scope | 'operator' | 'public') => SetMetadata(ACCESS, access);
