import type { ComponentChildren } from 'preact';

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {children}
    </svg>
  );
}

export const HealthyIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.5" />
    <path d="m5.2 8.2 1.9 1.9 3.7-4" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M8 2 1.6 13.5h12.8L8 2Z" />
    <path d="M8 6.5v3.2M8 11.6v.1" />
  </Icon>
);

export const CriticalIcon = () => (
  <Icon>
    <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3l3.8-3.8Z" />
    <path d="M8 4.8v3.7M8 11v.1" />
  </Icon>
);

export const InfoIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.5" />
    <path d="M8 7.3v3.7M8 5v.1" />
  </Icon>
);

export const IdleIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6.5" />
    <path d="M8 4.5V8l2.3 1.6" />
  </Icon>
);

export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="3" />
    <path d="M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3" />
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M13.8 9.6A6 6 0 0 1 6.4 2.2a6 6 0 1 0 7.4 7.4Z" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon>
    <path d="M5.5 3.5v9M10.5 3.5v9" />
  </Icon>
);

export const PlayIcon = () => (
  <Icon>
    <path d="M4.5 2.8v10.4L13 8 4.5 2.8Z" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" />
  </Icon>
);

export const BackIcon = () => (
  <Icon>
    <path d="M9.8 3.2 5 8l4.8 4.8" />
  </Icon>
);

export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.5" />
    <path d="m10.4 10.4 3.4 3.4" />
  </Icon>
);

export const FlameIcon = () => (
  <Icon>
    <path d="M8 1.8c.4 2.5 3.9 4.2 3.9 7.9a3.9 3.9 0 0 1-7.8 0c0-1.6.8-2.7 1.7-3.5.2 1 .7 1.6 1.3 1.8C6.700 5.700 7 3.400 8 1.800Z" />
  </Icon>
);
