import { type Browser, type BrowserContext, test as base } from '@playwright/test'
import { type ShowcaseProcess, startShowcase } from './showcase-process.ts'

type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>

/** The cookies of somebody who has signed in, without the page for it. */
async function signIn(browser: Browser, home: ShowcaseProcess, email: string): Promise<Cookies> {
  const context = await browser.newContext()
  const answer = await context.request.post(`${home.url}/api/auth/sign-in/email`, {
    data: { email, password: home.password },
    headers: { origin: home.url },
  })
  if (!answer.ok()) throw new Error(`sign-in: ${answer.status()}`)
  const cookies = await context.cookies()
  await context.close()
  return cookies
}

interface WorkerFixtures {
  /** Files that name the same one share a home; most name none. */
  homeOf: string
  home: ShowcaseProcess
  /** The administrator's, of one sign-in for all tests: their number is limited. */
  cookies: Cookies
  /** Of a member of Kids, and of a viewer of Home. */
  cookiesOf: Readonly<Record<'ben' | 'cleo', Cookies>>
}

interface TestFixtures {
  /** Whose `page` it is: the administrator's, unless a test says otherwise. */
  who: 'ada' | 'ben' | 'cleo'
}

/** Tests in a showcase home, one for all of a worker unless a file wants its own (`homeOf`); `page` is signed in. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  who: ['ada', { option: true }],
  homeOf: ['', { option: true, scope: 'worker' }],
  home: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the fixtures it needs from this pattern
    async ({}, use) => {
      const home = await startShowcase('full')
      await use(home)
      await home.stop()
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  cookies: [
    async ({ home, browser }, use) => use(await signIn(browser, home, home.email)),
    { scope: 'worker' },
  ],
  cookiesOf: [
    async ({ home, browser }, use) =>
      use({
        ben: await signIn(browser, home, 'ben@example.org'),
        cleo: await signIn(browser, home, 'cleo@example.org'),
      }),
    { scope: 'worker' },
  ],
  baseURL: ({ home }, use) => use(home.url),
  context: async ({ context, who, cookies, cookiesOf }, use) => {
    await context.addCookies(who === 'ada' ? cookies : cookiesOf[who])
    await use(context)
  },
})
