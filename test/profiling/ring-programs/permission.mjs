// The application lives where nothing may be profiled.
import { CpuCapture, sampled, startRing, tell } from './common.mjs';

const ring = startRing();
const { state, reason } = ring.status;
const { settled } = await sampled(ring);
const refused = await new CpuCapture().capture(1).catch(({ name, message }) => `${name}: ${message}`);
ring.stop();
tell({ state, reason, settled, refused });
