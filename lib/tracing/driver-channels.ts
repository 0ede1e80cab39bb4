import type { Tracer } from '@opentelemetry/api';
export const CHANNEL_DRIVERS: readonly { driver: string; minVersion: string }[] = [];
export function subscribeChannelDrivers(_t: () => Tracer, _o: { skip: (driver: string) => boolean }): () => void { return () => {}; }
