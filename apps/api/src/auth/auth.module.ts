import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import { Authorizer } from './authorizer.js';
import { KeyAuthenticator } from './key-authenticator.js';

@Module({
  providers: [KeyAuthenticator, Authorizer, { provide: APP_GUARD, useClass: AuthGuard }],
  exports: [Authorizer],
})
export class AuthModule {}
