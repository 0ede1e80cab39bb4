import { Injectable } from '@nestjs/common';

/** Lets one request wait until another has begun: the scene is the same each time, however busy the machine. */
@Injectable()
export class Rendezvous {
  private arrived: (() => void) | undefined;

  /** Waits for the other, for a while. */
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
