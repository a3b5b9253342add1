import { defineConfig } from '@playwright/test'
import base from './playwright.config.ts'

/** Against a Hearth whose store has the desktop image already (`npm test -- --only desktop`). */
export default defineConfig({
  ...base,
  testDir: './desktop',
  // A guest that starts its desktop has the lab's one CPU to itself for minutes.
  timeout: 40 * 60_000,
  expect: { timeout: 5 * 60_000 },
})
