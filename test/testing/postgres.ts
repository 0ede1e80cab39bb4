// A separate process under ts-node, as it forks another one from TypeScript, which Jest does not support.
import { openDatabase } from '../../sample-app/postgres/database';

void openDatabase(process.env).then(({ url, stop }) => {
  process.send?.(url);
  // The test process has ended.
  process.once('disconnect', () => void stop());
});
