import { defineConfig } from '@playwright/test'
import base from './playwright.config.ts'

/**
 * What is about the pages and not about guests: each file starts a portal of its own with a stand-in agent
 * (support/showcase-process.ts), so nothing here needs a lab.
 */
export default defineConfig({
  ...base,
  testDir: './portal-tests',
  timeout: 120_000,
  expect: { timeout: 15_000 },
  // A trace of each of a hundred short tests would cost more than the tests.
  use: { ...base.use, trace: 'off', actionTimeout: 15_000, navigationTimeout: 30_000 },
})
