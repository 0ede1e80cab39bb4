import { useEffect, useState } from 'preact/hooks';

/** A part of the page that is loaded when it is needed: empty until then, or with a sentence if that fails. */
export function useLoaded<T extends object>(load: () => Promise<T>): Partial<T> & { failure?: string } {
  const [loaded, setLoaded] = useState<Partial<T> & { failure?: string }>({});
  useEffect(() => {
    load().then(setLoaded, (error: unknown) => {
      setLoaded({ failure: `A part of the page could not be loaded: ${error}` } as typeof loaded);
    });
  }, [load]);
  return loaded;
}
