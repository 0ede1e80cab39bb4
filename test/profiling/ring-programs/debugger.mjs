// A debugger comes while the ring runs, and goes.
import inspector from 'node:inspector';
import { CpuCapture, sampled, startRing, tell, until } from './common.mjs';

const ring = startRing();
const before = await sampled(ring);
inspector.open(0, '127.0.0.1');
await until(() => ring.status.state === 'paused');
const { reason, windows } = ring.status;
const during = await sampled(ring);
// Who asks for a profile gets one all the same.
const captured = (await new CpuCapture().capture(0.2)).sampleAt.length;
inspector.close();
await until(() => ring.status.state === 'on');
const after = await sampled(ring);
ring.stop();
tell({ before, reason, windows, during, captured, after });
