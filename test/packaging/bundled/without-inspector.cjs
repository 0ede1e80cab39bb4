// Node built with --without-inspector: the module cannot be loaded, as there.
const Module = require('node:module');

const isInspector = (name) => /^(?:node:)?inspector(?:\/promises)?$/.test(name);
const refuse = () => {
  throw Object.assign(new Error('Inspector is not available'), { code: 'ERR_INSPECTOR_NOT_AVAILABLE' });
};
const load = Module._load;
Module._load = function (name, ...rest) {
  return isInspector(name) ? refuse() : load.call(this, name, ...rest);
};
const getBuiltin = process.getBuiltinModule;
process.getBuiltinModule = (name) => (isInspector(name) ? refuse() : getBuiltin(name));
