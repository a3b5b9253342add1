import type { ReactNode } from 'react'
import { Select } from '../../ui/field.tsx'

/** One setting: what it is and does on the left, its control on the right. */
export function SettingRow({ title, hint, control }: { title: string; hint: ReactNode; control: ReactNode }) {
  return (
    <div className="flex items-center justify-between gap-5 py-4 first:pt-0 last:pb-0">
      <div className="min-w-0">
        <p className="font-medium text-13">{title}</p>
        <p className="text-13 text-ink-3">{hint}</p>
      </div>
      {/* Whatever it is, it takes its own width and leaves the words theirs. */}
      <div className="max-w-1/2 shrink-0">{control}</div>
    </div>
  )
}

/** A setting that is one of several. */
export function ChoiceRow<Choice extends string>({
  title,
  hint,
  disabled,
  choices,
  value,
  nameOf,
  onChoice,
}: {
  title: string
  hint: ReactNode
  disabled: boolean
  choices: readonly Choice[]
  value: Choice
  nameOf: (choice: Choice) => string
  onChoice: (choice: Choice) => void
}) {
  return (
    <SettingRow
      title={title}
      hint={hint}
      control={
        <Select
          aria-label={title}
          className="w-40 shrink-0"
          disabled={disabled}
          value={value}
          onChange={(event) => {
            const chosen = choices.find((choice) => choice === event.target.value)
            if (chosen !== undefined) onChoice(chosen)
          }}
        >
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {nameOf(choice)}
            </option>
          ))}
        </Select>
      }
    />
  )
}
