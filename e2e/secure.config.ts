import { defineConfig } from '@playwright/test'
import base from './playwright.config.ts'

/** Against a Hearth that was started for other devices too (`npm start -- --listen …`): HTTPS under a name. */
export default defineConfig({ ...base, testDir: './secure' })
