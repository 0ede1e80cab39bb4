import { Injectable } from '@nestjs/common';

/** Tries every way to cut the text into groups before it gives up. */
const MAIL = /^([a-z]+)+@/;

@Injectable()
export class MailValidator {
  isValid(mail: string): boolean {
    return MAIL.test(mail); // call site: regex
  }
}
