import { Injectable } from '@nestjs/common';

/** A regular expression with catastrophic backtracking. */
const MAIL = /^([a-z]+)+@/;

@Injectable()
export class MailValidator {
  isValid(mail: string): boolean {
    return MAIL.test(mail); // call site: regex
  }
}
