import { Injectable } from '@nestjs/common';

/** Created once: the case is about its serialization. */
const ROWS = Array.from({ length: 60_000 }, (_, n) => ({
  id: n,
  title: `Book ${n}`,
  author: { id: n % 500, name: `Author ${n % 500}` },
  tags: ['paper', 'used', `shelf ${n % 90}`],
}));

@Injectable()
export class ExportService {
  serialize(): number {
    let bytes = 0;
    for (let round = 0; round < 12; round++) bytes += JSON.stringify(ROWS).length; // call site: json
    return bytes;
  }
}
