import ts from 'typescript';
import { docOf, walk } from './program.mjs';
import { table } from './table.mjs';

const METHODS = new Set(['Get', 'Post', 'Put', 'Patch', 'Delete']);

/** Routes that are not in the OpenAPI document, since they serve the page, and have no doc comment. */
const OF_THE_PAGE = new Map([
  ['GET /performance', 'The page'],
  ['GET /performance/ui/:file', 'The files of the page'],
]);

/**
 * The routes of the endpoint.
 * @param openApi the paths of an OpenAPI document that `withPerformanceEndpoint` has completed
 */
export function routeTable(program, openApi) {
  const rows = routesOf(program).map(({ method, path, doc }) => {
    const route = `${method} ${path}`;
    const documented = openApi[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    const meaning = documented?.summary ?? OF_THE_PAGE.get(route) ?? doc;
    if (meaning === '')
      throw new Error(`${route} of the endpoint is not documented: give it @Documented or a doc comment`);
    const query = (documented?.parameters ?? []).filter((parameter) => parameter.in === 'query');
    return [`\`${route}\``, meaning, query.map(parameterText).join('<br>')];
  });
  return table(
    ['route', 'what it answers', 'query parameters'],
    rows.sort(([a], [b]) => (pathIn(a) < pathIn(b) ? -1 : 1)),
  );
}

function routesOf({ checker, files }) {
  const routes = [];
  walk(files, (node) => {
    if (!ts.isMethodDeclaration(node) || !ts.isClassDeclaration(node.parent)) return;
    if (!callsOf(node.parent).some(([name]) => name === 'Controller')) return;
    for (const [name, argument] of callsOf(node)) {
      if (!METHODS.has(name)) continue;
      const path =
        argument !== undefined && ts.isStringLiteral(argument)
          ? `/performance/${argument.text}`
          : '/performance';
      routes.push({
        method: name.toUpperCase(),
        path,
        doc: docOf(checker.getSymbolAtLocation(node.name), checker),
      });
    }
  });
  if (routes.length === 0) throw new Error('The sources have no controllers');
  return routes;
}

/** The decorators that are called, by name, with their first argument. */
function callsOf(node) {
  return (ts.getDecorators(node) ?? []).flatMap(({ expression }) =>
    ts.isCallExpression(expression) ? [[expression.expression.getText(), expression.arguments[0]]] : [],
  );
}

function parameterText({ name, description, schema }) {
  const allowed = schema.enum?.map((value) => `\`${value}\``).join(', ') ?? rangeOf(schema);
  return [`\`${name}\``, [allowed, description].filter(Boolean).join('. ')].filter(Boolean).join(': ');
}

function rangeOf({ minimum, maximum }) {
  return maximum === undefined ? undefined : `${minimum} to ${maximum}`;
}

const pathIn = (cell) => cell.replaceAll('`', '').split(' ').reverse().join(' ');
