import { cx } from './cx.ts'

/** Our own drawings for what images hold: a spiral, a spark, a mountain, a circle of friends, a disc, a crate. */
const drawings: { match: RegExp; tint: string; path: React.ReactNode }[] = [
  {
    match: /debian/,
    tint: 'text-[light-dark(#b8254f,#f0769a)] bg-[light-dark(#fbe9ef,#36202a)]',
    path: (
      <path d="M18.8 9.6C18.2 6.3 15.4 4 12 4 7.7 4 4.5 7.3 4.5 11.7c0 3.9 2.3 7 6 8.6M15.9 12.9c-1.3 1.9-4.5 2.1-6 .2-1.6-2-.8-5.2 1.9-5.9 2.2-.5 4.2.9 4.4 2.9" />
    ),
  },
  {
    match: /tiny|busybox/,
    tint: 'text-ember bg-ember-soft',
    path: (
      <path d="M12 3.5c3.8 3.4 5.7 6.5 5.7 9.7a5.7 5.7 0 0 1-11.4 0c0-2 .8-3.6 2.1-5 .4 1.3 1.1 2.1 2.1 2.5-.4-2.7.1-5.1 1.5-7.2Z" />
    ),
  },
  {
    match: /alpine/,
    tint: 'text-[light-dark(#1c5a86,#7fbde8)] bg-[light-dark(#e5f0f8,#1b2b37)]',
    path: <path d="m3 18 6-10 4.5 7M11.5 12 15 6.5 21.5 18M3 18h18.5" />,
  },
  {
    match: /ubuntu/,
    tint: 'text-[light-dark(#b5430c,#f39a66)] bg-[light-dark(#fcece2,#38241a)]',
    path: (
      <>
        <circle cx="12" cy="12" r="6" />
        <circle cx="19" cy="12" r="1.6" />
        <circle cx="8.5" cy="5.9" r="1.6" />
        <circle cx="8.5" cy="18.1" r="1.6" />
      </>
    ),
  },
  {
    match: /fedora/,
    tint: 'text-[light-dark(#2a4f8f,#8fb4f2)] bg-[light-dark(#e6edf9,#1c2738)]',
    path: <path d="M10 19.5v-9a4.5 4.5 0 1 1 4.5 4.5H6.5" />,
  },
  {
    match: /suse/,
    tint: 'text-[light-dark(#3c7a14,#9ed36a)] bg-[light-dark(#eaf5df,#21301a)]',
    path: (
      <>
        <path d="M20 13.5c0-4-3.4-7-8-7-5 0-8.5 3.2-8.5 7.3 0 3 2.2 4.7 4.6 4.7 2.2 0 3.6-1.4 3.6-3.1 0-1.3-.9-2.2-2-2.2M20 13.5c-2.6 0-4.4-.6-5.8-1.8M20 13.5v2h-4" />
        <circle cx="16" cy="9.7" r="0.9" />
      </>
    ),
  },
  {
    match: /arch/,
    tint: 'text-[light-dark(#0e6f9a,#6cc4ec)] bg-[light-dark(#e1f1f8,#17303a)]',
    path: (
      <path d="M12 4 4.5 19.5c2.2-1.6 4-2.6 5.6-3.1-.3-2.4.5-4 1.9-4s2.2 1.6 1.9 4c1.6.5 3.4 1.5 5.6 3.1L12 4Z" />
    ),
  },
  {
    match: /rocky/,
    tint: 'text-[light-dark(#0b7a55,#63cfa5)] bg-[light-dark(#e0f4ec,#173128)]',
    path: <path d="M5 17.5 12.5 10l6.5 6.5M12.5 10a7.5 7.5 0 1 0-3.2 9.3M9.5 19.5l5-5 3 3" />,
  },
  {
    match: /alma/,
    tint: 'text-[light-dark(#7a4b0c,#e0b268)] bg-[light-dark(#f8eedd,#33281a)]',
    path: (
      <path d="M12 12c0-3 1.2-6 3.4-7.5M12 12c2.9-.9 6-.6 8.2 1M12 12c1.8 2.4 2.4 5.4 1.5 8M12 12c-1.8 2.4-4.5 3.9-7.2 3.9M12 12c-2.9-.9-5.2-3-6-5.6" />
    ),
  },
  {
    match: /^iso:/,
    tint: 'text-ink-2 bg-raised',
    path: (
      <>
        <circle cx="12" cy="12" r="8" />
        <circle cx="12" cy="12" r="2" />
      </>
    ),
  },
  {
    match: /./,
    tint: 'text-ink-2 bg-raised',
    path: <path d="M4 8.5 12 4l8 4.5v7L12 20l-8-4.5v-7ZM4 8.5l8 4.5 8-4.5M12 13v7" />,
  },
]

export function ImageMark({ uid, size = 'md' }: { uid: string; size?: 'sm' | 'md' | 'lg' }) {
  const drawing = drawings.find((each) => each.match.test(uid)) ?? drawings.at(-1)!
  return (
    <span
      aria-hidden="true"
      className={cx(
        'inline-flex shrink-0 items-center justify-center',
        drawing.tint,
        size === 'sm' ? 'size-7 rounded-md' : size === 'md' ? 'size-10 rounded-[10px]' : 'size-12 rounded-xl',
      )}
    >
      <svg
        aria-hidden="true"
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
        className={size === 'sm' ? 'size-4.5' : size === 'md' ? 'size-6' : 'size-7'}
      >
        {drawing.path}
      </svg>
    </span>
  )
}
