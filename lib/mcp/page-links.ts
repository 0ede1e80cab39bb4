/** Addresses in the page of this application. */
export class PageLinks {
  /** @param page the address of the page without a fragment, as the client reached it; undefined if unknown */
  constructor(private readonly page: string | undefined) {}

  get overview(): string | undefined {
    return this.to('');
  }

  operation(type: string, name: string): string | undefined {
    return this.to(`operation/${encodeURIComponent(type)}/${encodeURIComponent(wellFormed(name))}`);
  }

  slowOperation(id: string): string | undefined {
    return this.to(`slow/${encodeURIComponent(id)}`);
  }

  private to(route: string): string | undefined {
    return this.page === undefined ? undefined : `${this.page}#/${route}`;
  }
}

/** A name may be cut within a surrogate pair, which cannot be encoded. */
function wellFormed(name: string): string {
  return name.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
