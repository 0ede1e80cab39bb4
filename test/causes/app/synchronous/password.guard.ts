import { scryptSync } from 'node:crypto';
import { type CanActivate, Injectable } from '@nestjs/common';

@Injectable()
export class PasswordGuard implements CanActivate {
  canActivate(): boolean {
    return scryptSync('password', 'salt', 64, { N: 65_536, maxmem: 128 * 1024 * 1024 }).length === 64; // call site: guard
  }
}
