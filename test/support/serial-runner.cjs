const { default: TestRunner } = require('jest-runner');

/** Has a single worker, whatever `maxWorkers` is. Jest never runs the tests of two runners at the same time. */
module.exports = class SerialRunner extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }
};
