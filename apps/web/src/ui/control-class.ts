/** The look of everything that is typed or chosen in. */
export const controlClass =
  'w-full rounded-control border border-control bg-surface px-3 text-base text-ink transition-[border-color,box-shadow] placeholder:text-ink-3 hover:border-ink-3 focus-visible:border-ember focus-visible:outline-1 focus-visible:outline-offset-0 aria-invalid:border-bad aria-invalid:focus-visible:outline-bad disabled:opacity-55 sm:text-sm'
