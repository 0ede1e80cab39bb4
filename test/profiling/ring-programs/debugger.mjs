// A debugger comes while the ring runs, and goes.
import inspector from 'node:inspector';
import { CpuCapture, print, sampled, startRing, until } from './common.mjs';

const ring = startRing();
const before = await sampled(ring);
inspector.open(0, '127.0.0.1');
await until(() => ring.status.state === 'paused');
const { reason, windows } = ring.status;
const during = await sampled(ring);
// A capture on demand still works.
const captured = (await new CpuCapture().capture(0.2)).sampleAt.length;
inspector.close();
await until(() => ring.status.state === 'on');
const after = await sampled(ring);
ring.stop();
print({ before, reason, windows, during, captured, after });
