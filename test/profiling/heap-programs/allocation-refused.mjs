// Where Node forbids the inspector; or, made so, has none.
import { load, newStore, outcome, print } from './common.mjs';

const { AllocationSampling } = await load('allocation-sampling');
const store = newStore();
const sampling = new AllocationSampling(store);
if (process.argv[2] === 'without') {
  Object.defineProperty(process.features, 'inspector', { value: false });
}
print({ outcome: await outcome(sampling.capture({ id: store.newId(), reason: 'on_demand', seconds: 1 })) });
