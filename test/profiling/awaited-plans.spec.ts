import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Deadline } from '../../lib/async/deadline.js';
import { SlowFiles } from '../../lib/monitor/slow-files.js';
import type { StatementPlan } from '../../lib/plans/statement-plan.js';
import { slowOperation } from '../fleet/simulated-instance.js';
import { profile, StoreFixture } from './profile-store-fixture.js';

const PLAN: StatementPlan = { explanation: 'Reads all rows of track.', explainedAt: 1_800_000_000_000 };
const idOf = (index: number): string => String(index).padStart(16, '0');

let fixture: StoreFixture;
beforeEach(() => {
  fixture = new StoreFixture();
});
afterEach(() => fixture.remove());

it('a plan that becomes known is added to the files of the last 64 slow operations that await one', async () => {
  const store = fixture.store({ maxFiles: 1000 });
  const known = new Map<string, StatementPlan>();
  const sources = {
    ...{ service: 'shop', instance: { id: 'a-1' } },
    slowOperation: () => undefined,
    plannedStatements: () => ['SELECT track'],
    planOf: (fingerprint: string) => known.get(fingerprint),
  };
  const files = new SlowFiles(store, sources);
  for (let index = 0; index < 65; index++) {
    const id = store.newId();
    await store.write(profile(id), '{}');
    files.keepLater(slowOperation(idOf(index), { profile: id }), []);
    await files.flush(new Deadline(10_000));
  }
  known.set('SELECT track', PLAN);
  files.addPlan('SELECT track');
  await files.flush(new Deadline(10_000));
  known.clear();
  const plans = [0, 1, 64].map(async (index) => (await files.find(idOf(index)))?.plan);
  expect(await Promise.all(plans)).toEqual([undefined, PLAN, PLAN]);
});
