import { defineConfig } from '@playwright/test'

/**
 * Runs against a Hearth that is up already (`npm test` starts one and sets HEARTH_URL and HEARTH_SETUP_URL).
 * One worker: the tests share one home, and the emulated lab host has two slow CPUs, hence the patience.
 */
export default defineConfig({
  testDir: './tests',
  outputDir: '../test-results',
  workers: 1,
  fullyParallel: false,
  // Named by `npm test` when it helps.
  retries: 1,
  timeout: 600_000,
  expect: { timeout: 60_000 },
  reporter: [['list'], ['json']],
  use: {
    baseURL: process.env.HEARTH_URL ?? 'http://127.0.0.1:8080',
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    viewport: { width: 1360, height: 860 },
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
      ],
    },
  },
})
