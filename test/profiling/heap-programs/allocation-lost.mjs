// Nothing but a capture is going on: the process ends all the same.
import { load, newStore } from './common.mjs';

const { AllocationSampling } = await load('allocation-sampling');
const store = newStore();
void new AllocationSampling(store).capture({ id: store.newId(), reason: 'on_demand', seconds: 3600 });
process.on('exit', () => process.stdout.write('{"ended":true}\n'));
