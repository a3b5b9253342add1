/** An unlit hearth with one ember left: what an empty list looks like here. */
export function EmptyHearth() {
  return (
    <svg viewBox="0 0 160 112" className="h-28 w-40" aria-hidden="true" fill="none">
      <ellipse cx="80" cy="98" rx="66" ry="9" className="fill-ember-solid opacity-10" />
      <path d="M14 100h132" className="stroke-line-strong" strokeWidth="2" strokeLinecap="round" />
      <path
        d="M30 100V52a50 44 0 0 1 100 0v48"
        className="fill-surface stroke-control"
        strokeWidth="2.5"
        strokeLinejoin="round"
      />
      <path
        d="M48 100V60a32 30 0 0 1 64 0v40Z"
        className="fill-sunken stroke-line-strong"
        strokeWidth="2"
        strokeLinejoin="round"
      />
      <g className="stroke-ink-3" strokeWidth="5" strokeLinecap="round">
        <path d="m60 95 36-9" />
        <path d="m100 95-36-9" />
      </g>
      <path
        d="M80 56c7.5 6.7 11.2 12.5 11.2 18.200a11.2 11.2 0 0 1-22.4 0c0-3.7 1.5-6.6 4.1-9.4.8 2.4 2 4 4.1 4.8-.7-5.2.3-9.7 3-13.600Z"
        className="animate-ember fill-ember-solid"
      />
    </svg>
  )
}
