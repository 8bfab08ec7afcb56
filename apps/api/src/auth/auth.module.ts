import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard } from './auth.guard.js';
import { KeyAuthenticator } from './key-authenticator.js';

@Module({ providers: [KeyAuthenticator, { provide: APP_GUARD, useClass: AuthGuard }] })
export class AuthModule {}
