import { expect } from '@playwright/test'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test('the API reference is reached from the tokens, searched, and says all of a call', async ({
  page,
  home,
}) => {
  await page.goto('/settings/tokens')
  await page.getByRole('link', { name: 'API reference' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'API reference' })).toBeVisible()
  await settled(page)
  await expect(page.getByRole('heading', { level: 2, name: 'Servers', exact: true })).toBeVisible()
  const call = page.getByText('Create a server', { exact: true })
  await page.getByRole('searchbox', { name: 'Search calls' }).fill('post create a server')
  await expect(page.getByText('/ssh_keys', { exact: true })).toHaveCount(0)
  await call.click()
  await expect(page).toHaveURL(/q=post\+create\+a\+server#post_servers$/)
  await expect(page.getByText('Needs a token that may write.')).toBeVisible()
  await expect(page.getByText(`${home.url}/api/v1/servers`).first()).toBeVisible()
  await expect(page.getByRole('heading', { level: 3, name: 'Answer (201)' })).toBeVisible()
  await expect(page.getByText('small, medium, large or custom-<cores>c-<MiB>m-<GiB>g')).toBeVisible()
  await expect(page.getByText(/resource_limit_exceeded/)).toBeVisible()
  // What is in an answer unfolds, all the way in.
  await page.getByText('Fields of server', { exact: true }).click()
  await page.getByText('Fields of public_net', { exact: true }).click()
  await expect(page.getByText('floating_ips', { exact: true })).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search calls' }).fill('no such thing')
  await expect(page.getByRole('heading', { name: 'No call is like that' })).toBeVisible()
})

test('an address leads to one call, and the palette to the page', async ({ page }) => {
  await page.goto('/api-reference#get_servers_id')
  await settled(page)
  await expect(page.getByText('A token that may read is enough.')).toBeVisible()
  await page.goto('/vms')
  await settled(page)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('API reference')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/api-reference$/)
})
