const { default: TestRunner } = require('jest-runner');

/** Jest runs the tests of one runner after those of another. This one has a single worker, whatever `maxWorkers` is. */
module.exports = class SerialRunner extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }
};
