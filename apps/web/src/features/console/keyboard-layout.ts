import { type LayoutName, layoutNames } from '@hearth/shared/keyboard-layouts'

export type KeyboardLayout = LayoutName
export const keyboardLayouts = layoutNames

/** The keyboard somebody most likely has whose browser wants these languages (`de-AT`, `en-GB`), the first known deciding. */
export function layoutOfLanguages(languages: readonly string[]): KeyboardLayout {
  for (const tag of languages) {
    const [language, region] = tag.toLowerCase().split('-')
    if (language === 'en') return region === 'gb' ? 'gb' : 'us'
    const own = layoutNames.find((name) => name === language)
    if (own) return own
  }
  return 'us'
}
