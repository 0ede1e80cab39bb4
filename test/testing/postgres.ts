// A process of its own: it forks another one from TypeScript, which ts-node runs and Jest does not.
import { openDatabase } from '../../sample-app/postgres/database';

void openDatabase(process.env).then(({ url, stop }) => {
  process.send?.(url);
  // The test has gone, whether it said so or not.
  process.once('disconnect', () => void stop());
});
