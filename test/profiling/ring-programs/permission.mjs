// The application lives where nothing may be profiled.
import { CpuCapture, print, sampled, startRing } from './common.mjs';

const ring = startRing();
const { state, reason } = ring.status;
const { settled } = await sampled(ring);
const refused = await new CpuCapture().capture(1).catch(({ name, message }) => `${name}: ${message}`);
ring.stop();
print({ state, reason, settled, refused });
