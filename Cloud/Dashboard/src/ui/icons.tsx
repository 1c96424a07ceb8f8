// The icons, drawn here; all are decoration beside a word or a label.

const PATHS = {
  trade: <><path d="M5 6v4M5 15v4M12 3v4M12 14v4M19 5v4M19 14v5" /><rect x="3" y="10" width="4" height="5" rx="1" /><rect x="10" y="7" width="4" height="7" rx="1" /><rect x="17" y="9" width="4" height="5" rx="1" /></>,
  ledger: <><rect x="5" y="3" width="14" height="18" rx="2" /><path d="M9 8h6M9 12h6M9 16h3" /></>,
  edges: <><rect x="3" y="4" width="18" height="6" rx="1.5" /><rect x="3" y="14" width="18" height="6" rx="1.5" /><path d="M7 7h.01M7 17h.01M11 7h6M11 17h6" /></>,
  kill: <><circle cx="12" cy="12" r="9" /><path d="M9 9l6 6M15 9l-6 6" /></>,
  up: <path d="M12 19V5M6 11l6-6 6 6" />,
  down: <path d="M12 5v14M6 13l6 6 6-6" />,
  close: <path d="M6 6l12 12M18 6L6 18" />,
  system: <><rect x="3" y="4" width="18" height="12" rx="2" /><path d="M8 20h8M12 16v4" /></>,
  dark: <path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z" />,
  light: <><circle cx="12" cy="12" r="4" /><path d="M12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3L19 19M5 19l1.7-1.7M17.3 6.7L19 5" /></>,
  leave: <><path d="M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4" /><path d="M15 8l4 4-4 4M19 12H9" /></>,
  minus: <path d="M6 12h12" />,
  plus: <path d="M6 12h12M12 6v12" />,
} as const;

export function Icon({ name }: { readonly name: keyof typeof PATHS }): JSX.Element | null {
  return <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{PATHS[name]}</svg>;
}

export function Logo(): JSX.Element | null {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" />
      <path d="M6 12c3.3-3.6 6.7-3.6 10 0s6.7 3.6 10 0M6 20c3.3-3.6 6.7-3.6 10 0s6.7 3.6 10 0" />
    </svg>
  );
}
