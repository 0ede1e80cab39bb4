import type { OperationWindow } from '../statistics/operation-window.js';
import { type RegressionSettings, regressionSettings } from './regression-settings.js';
import { ScaleDetector } from './scale-detector.js';
import { WindowMerger } from './window-merger.js';
import type { WindowRing } from './window-ring.js';

/** The length of windows: about a minute, which shows great changes soon, or 20 minutes and more. */
export type WindowScale = 'fine' | 'coarse';

/** Detects whether one operation got worse, by its windows at two scales. Constant memory: 3 KB. */
export class RegressionDetector {
  readonly fine: ScaleDetector;
  readonly coarse: ScaleDetector;
  /** Whether a regression is suspected or open. */
  isHeld = false;
  private readonly merger = new WindowMerger();

  /** @param startedAt when the process started, in milliseconds since 1970 */
  constructor(
    readonly startedAt = Number.NEGATIVE_INFINITY,
    private readonly settings: RegressionSettings = regressionSettings(),
  ) {
    this.fine = new ScaleDetector(settings);
    this.coarse = new ScaleDetector(settings);
  }

  /** The last fine windows. */
  get ring(): WindowRing {
    return this.fine.ring;
  }

  /** The windows to judge once `window` has closed: itself, and the coarse one that it completes. None of a cold start. */
  windowsOf(window: OperationWindow): readonly [WindowScale, OperationWindow][] {
    if (window.startedAt < this.startedAt + this.settings.coldStartMs) return [];
    const merged = this.merger.add(window);
    return merged === undefined
      ? [['fine', window]]
      : [
          ['fine', window],
          ['coarse', merged],
        ];
  }

  /** Learns nothing from windows that end after `at`, in milliseconds since 1970; infinity to learn from all. */
  hold(at: number): void {
    this.isHeld = at !== Number.POSITIVE_INFINITY;
    this.fine.hold(at);
    this.coarse.hold(at);
  }

  /** Resets all suspicion. The windows so far are not learned, and no change begins in them. */
  settle(): void {
    this.isHeld = false;
    this.merger.clear();
    this.fine.settle();
    this.coarse.settle();
  }
}
