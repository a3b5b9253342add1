import { type LayoutName, layoutNames } from '@hearth/shared/keyboard-layouts'

export type KeyboardLayout = LayoutName
export const keyboardLayouts = layoutNames
