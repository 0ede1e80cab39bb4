import { useEffect, useState } from 'preact/hooks';
import type { FleetView } from '../../fleet/fleet-view.js';

const EVERY_MS = 5000;

/**
 * All instances, requested every five seconds while overviews arrive: never while the page is paused, hidden or
 * disconnected.
 * @param at the time of the last overview
 */
export function useFleet(at: number): FleetView | undefined {
  const [fleet, setFleet] = useState<FleetView>();
  const turn = Math.floor(at / EVERY_MS);
  useEffect(() => {
    const abort = new AbortController();
    const load = async (): Promise<void> => {
      try {
        const response = await fetch('fleet', { signal: abort.signal });
        if (response.ok) setFleet((await response.json()) as FleetView);
      } catch {
        // The header shows that the application does not respond.
      }
    };
    void load();
    return () => abort.abort();
  }, [turn]);
  return fleet;
}
