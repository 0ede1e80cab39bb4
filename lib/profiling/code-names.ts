import { ANONYMOUS, type CallSite, isUserCode } from '../code/call-site.js';
import { enclosingClass, indentation } from '../code/enclosing-class.js';
import type { SourceMaps } from '../code/source-maps.js';
import type { SourceTexts } from '../code/source-texts.js';
import type { CodeFunction } from './sample-window.js';

/** Maximum number of files read for one profile. */
const MAX_FILES = 100;

/** Names the functions of a profile with their class and their position in the source code. */
export class CodeNames {
  private readonly texts = new Map<string, readonly string[]>();

  private constructor(private readonly sources: SourceMaps) {}

  /**
   * Reads the files needed to name these functions. Never rejects: functions of files that cannot be read keep their
   * name and position in the running code.
   */
  static async prepare(
    functions: Iterable<CodeFunction>,
    sources: SourceMaps,
    texts: SourceTexts,
  ): Promise<CodeNames> {
    const names = new CodeNames(sources);
    const urls = new Set<string>();
    for (const { url } of functions) if (urls.size < MAX_FILES && isUserCode(url)) urls.add(url);
    for (const url of urls) {
      await sources.prepare(url);
      names.texts.set(url, await texts.lines(url));
    }
    return names;
  }

  /** `AuthService.hash`, or `(anonymous)`. */
  nameOf({ name, url, line }: CodeFunction): string {
    if (name === '') return ANONYMOUS;
    const type = enclosingClass(this.texts.get(url) ?? [], line, name);
    if (type === undefined) return name;
    return name === type || name === 'constructor' ? `new ${type}` : `${type}.${name}`;
  }

  /** The position of a function's definition, or of one of its lines, in the source code. */
  locate(code: CodeFunction, line = 0): CallSite {
    const { url, column } = code;
    const functionName = this.nameOf(code);
    const definition = this.sources.locate({ functionName, url, line: code.line, column });
    // A line of a minified file holds many functions.
    if (line <= 0 || line === code.line) return definition;
    const text = this.texts.get(url)?.[line - 1];
    // The mappings of a line begin at its first word.
    const first = (text === undefined ? 0 : indentation(text)) + 1;
    const found = this.sources.locate({ functionName, url, line, column: first });
    return found.file === definition.file ? found : definition;
  }
}
