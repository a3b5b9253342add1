import { type BrowserContext, test as base } from '@playwright/test'
import { type ShowcaseProcess, startShowcase } from './showcase-process.ts'

type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>

/** Signs a browser in, without the page for it. */
async function signIn(context: BrowserContext, home: ShowcaseProcess): Promise<void> {
  const answer = await context.request.post(`${home.url}/api/auth/sign-in/email`, {
    data: { email: home.email, password: home.password },
    headers: { origin: home.url },
  })
  if (!answer.ok()) throw new Error(`sign-in: ${answer.status()}`)
}

interface WorkerFixtures {
  home: ShowcaseProcess
  /** Of one sign-in for all tests: their number is limited. */
  cookies: Cookies
}

/** Tests in a showcase home, one for all of a worker; `page` is signed in. */
export const test = base.extend<object, WorkerFixtures>({
  home: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures it needs from this pattern
    async ({}, use) => {
      const home = await startShowcase('full')
      await use(home)
      await home.stop()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  cookies: [
    async ({ home, browser }, use) => {
      const context = await browser.newContext()
      await signIn(context, home)
      await use(await context.cookies())
      await context.close()
    },
    { scope: 'worker' },
  ],
  baseURL: ({ home }, use) => use(home.url),
  context: async ({ context, cookies }, use) => {
    await context.addCookies(cookies)
    await use(context)
  },
})
