import os from 'node:os'
import { defineConfig } from '@playwright/test'
import base from './playwright.config.ts'

/** Half of the time is this file's. */
const everyPage = 'every-page.spec.ts'
/** Counts milliseconds, so nothing else runs meanwhile. By itself: `--project alone --no-deps`. */
const pageSwitch = 'page-switch.spec.ts'

/**
 * What is about the pages and not about guests: each file starts a portal of its own with a stand-in agent
 * (support/showcase-process.ts), so nothing here needs a lab. A browser keeps one CPU busy, so two run beside each other:
 * each with files of its own, in homes of its own and always in the same order.
 */
export default defineConfig({
  ...base,
  testDir: './portal-tests',
  workers: Math.min(2, os.availableParallelism()),
  projects: [
    { name: 'each', testMatch: everyPage, workers: 1 },
    { name: 'use', testIgnore: [everyPage, pageSwitch], workers: 1 },
    { name: 'alone', testMatch: pageSwitch, dependencies: ['each', 'use'] },
  ],
  timeout: 120_000,
  expect: { timeout: 30_000 },
  // A trace of each of a hundred short tests would cost more than the tests.
  use: { ...base.use, trace: 'off', actionTimeout: 30_000, navigationTimeout: 30_000 },
})
