import { defineConfig } from '@playwright/test'
import base from './playwright.config.ts'

/** Against a Hearth whose store has the desktop image already (`npm test -- --only desktop`). */
export default defineConfig({
  ...base,
  testDir: './desktop',
  // It takes long, and goes on with what it left.
  retries: 0,
  // A guest that starts its desktop has the lab's one CPU to itself for minutes.
  timeout: 40 * 60_000,
  expect: { timeout: 5 * 60_000 },
})
