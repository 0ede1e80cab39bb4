import { Injectable } from '@nestjs/common';

/** Makes one request wait until another has started, so that both overlap on any machine. */
@Injectable()
export class Rendezvous {
  private arrived: (() => void) | undefined;

  /** Waits for the other request, for a limited time. */
  meet(): Promise<void> {
    return new Promise((resolve) => {
      this.arrived = resolve;
      setTimeout(resolve, 2000).unref();
    });
  }

  arrive(): void {
    this.arrived?.();
    this.arrived = undefined;
  }
}
