/** The most mount points that are kept. An application has few; one may mount at run time. */
const MAX_MOUNTS = 1000;
/** A segment of a mount point that is a name, or stands for a single parameter. */
const LITERAL = /^[^:*?+(){}[\]\\!]+$/;
const PARAMETER = /^:\w+$/;

interface Mount {
  /** `/tenants/:tenant` */
  readonly template: string;
  readonly segments: readonly string[];
}

/**
 * Where middleware is mounted: `app.use('/graphql', …)`. What such middleware answers itself is named by its mount point,
 * because the framework knows no route of it.
 */
export class Mounts {
  private readonly mounts: Mount[] = [];

  /** Adds the mount points of `app.use(paths, …)`. Patterns that may hold values are not kept. */
  add(paths: unknown): void {
    if (Array.isArray(paths)) {
      for (const path of paths) if (typeof path === 'string') this.add(path);
      return;
    }
    if (typeof paths !== 'string' || this.mounts.length >= MAX_MOUNTS) return;
    const segments = segmentsOf(paths);
    if (segments.length === 0 || !segments.every((one) => LITERAL.test(one) || PARAMETER.test(one))) return;
    const template = `/${segments.join('/')}`;
    if (!this.mounts.some((mount) => mount.template === template)) this.mounts.push({ template, segments });
  }

  /**
   * The template of the path below which a request was answered; `/*` stands for what is below the mount point, or for a
   * mount point that is not known. Never holds a part of the path that a mount point does not name.
   */
  templateOf(base: string): string {
    const segments = segmentsOf(base);
    if (segments.length === 0) return '';
    let best: Mount | undefined;
    for (const mount of this.mounts) {
      if (!isPrefix(mount.segments, segments)) continue;
      if (best === undefined || mount.segments.length > best.segments.length) best = mount;
    }
    if (best === undefined) return '/*';
    return best.segments.length === segments.length ? best.template : `${best.template}/*`;
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function isPrefix(mount: readonly string[], path: readonly string[]): boolean {
  return (
    mount.length <= path.length &&
    mount.every((segment, at) => segment.startsWith(':') || segment.toLowerCase() === path[at]?.toLowerCase())
  );
}
