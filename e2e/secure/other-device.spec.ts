import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from '@playwright/test'
import { ConsolePage } from '../pages/console-page.ts'
import { SignInPage } from '../pages/sign-in-page.ts'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { VmPage } from '../pages/vm-page.ts'
import { administrator } from '../support/administrator.ts'
import { trustingBrowser } from '../support/trusting-browser.ts'

/** Another device of the home: it trusts the home's certificate authority as the portal tells, and then works by HTTPS. */
const MINUTE = 60_000
const url = new URL(process.env.HEARTH_URL ?? 'https://hearth.home.arpa')
let authority: string

test('before the authority is trusted a browser refuses; the page that explains it gives the authority', async () => {
  expect(url.protocol).toBe('https:')
  const home = await mkdtemp(path.join(os.tmpdir(), 'hearth-device-'))
  const browser = await trustingBrowser({ home, host: url.hostname, authority: undefined })
  try {
    const strict = await browser.newPage()
    await expect(strict.goto(url.href)).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/)
    // What a person does who goes on past the warning, once.
    const context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true })
    const page = await context.newPage()
    await page.goto(new URL('/trust', url).href)
    await page.screenshot({ path: `${test.info().project.outputDir}/screens/20-trust.png` })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page
        .getByRole('link', { name: /certificate/i })
        .first()
        .click(),
    ])
    authority = path.join(home, 'hearth-ca.crt')
    await download.saveAs(authority)
  } finally {
    await browser.close()
  }
})

test('with it: no warning, sign-in, a VM, and its console over a secure WebSocket', async () => {
  const home = await mkdtemp(path.join(os.tmpdir(), 'hearth-device-'))
  const browser = await trustingBrowser({ home, host: url.hostname, authority })
  try {
    const context = await browser.newContext({ baseURL: url.origin })
    const page = await context.newPage()
    const sockets: string[] = []
    page.on('websocket', (socket) => sockets.push(socket.url()))
    const signIn = new SignInPage(page)
    await signIn.open()
    expect(await page.evaluate(() => window.isSecureContext)).toBe(true)
    await signIn.signIn(administrator.email, administrator.password)
    await expect(page.getByRole('heading', { name: administrator.homeName, level: 1 })).toBeVisible()
    const create = new VmCreatePage(page)
    await create.open()
    await create.fill({ image: 'Tiny Linux', name: 'from-the-sofa', custom: { cpus: 1, memoryGib: 1 } })
    await create.submit('from-the-sofa', 2 * MINUTE)
    const vm = new VmPage(page)
    await vm.expectState('Running', 3 * MINUTE)
    await vm.openTab('Console')
    const terminal = new ConsolePage(page, 'from-the-sofa')
    await terminal.expectState('Connected', MINUTE)
    await terminal.expectText(/#\s*$/m, 3 * MINUTE)
    await terminal.enter('echo over-tls=$((6 * 7))')
    await terminal.expectText('over-tls=42', MINUTE)
    expect(sockets.length).toBeGreaterThan(1)
    for (const socket of sockets) expect(socket).toMatch(/^wss:/)
    await page.screenshot({ path: `${test.info().project.outputDir}/screens/21-console-over-tls.png` })
    await vm.poweroff()
    await vm.expectState('Stopped', 2 * MINUTE)
    await vm.delete('from-the-sofa')
  } finally {
    await browser.close()
  }
})
