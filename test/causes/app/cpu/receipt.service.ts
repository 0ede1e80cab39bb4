import { pbkdf2Sync } from 'node:crypto';
import { Injectable } from '@nestjs/common';

@Injectable()
export class ReceiptService {
  sign(text: string): string {
    return pbkdf2Sync(text, 'store', 900_000, 32, 'sha256').toString('hex'); // call site: pbkdf2
  }
}
