import { useEffect, useState } from 'preact/hooks';
import { MoonIcon, SunIcon } from './icons.js';

type Theme = 'light' | 'dark';
const KEY = 'nestjs-performance.theme';

/** The theme that the user selected; undefined if the system's applies. */
function chosen(): Theme | undefined {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : undefined;
  } catch {
    // Storage may be forbidden.
    return undefined;
  }
}

export function applyTheme(theme: Theme | undefined = chosen()): void {
  if (theme !== undefined) document.documentElement.dataset['theme'] = theme;
}

/** Switches between the dark and the light theme, and stores the choice. */
export function ThemeButton() {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const [theme, setTheme] = useState<Theme>(() => chosen() ?? (system.matches ? 'dark' : 'light'));
  useEffect(() => {
    const changed = (): void => {
      if (chosen() === undefined) setTheme(system.matches ? 'dark' : 'light');
    };
    system.addEventListener('change', changed);
    return () => system.removeEventListener('change', changed);
  }, []);
  const other = theme === 'dark' ? 'light' : 'dark';
  const change = (): void => {
    setTheme(other);
    applyTheme(other);
    try {
      localStorage.setItem(KEY, other);
    } catch {
      // Without storage the choice lasts until the page is closed.
    }
  };
  return (
    <button type="button" class="icon-button" onClick={change} aria-label={`Switch to the ${other} theme`}>
      {theme === 'dark' ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
