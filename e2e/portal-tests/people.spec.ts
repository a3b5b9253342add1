import { expect } from '@playwright/test'
import { VmCreatePage } from '../pages/vm-create-page.ts'
import { settled } from '../support/every-page.ts'
import { test } from '../support/home-test.ts'

test.describe('a member', () => {
  test.use({ who: 'ben' })

  test('sees their VMs and their quota first, and nothing of who looks after the home', async ({ page }) => {
    await page.goto('/')
    await settled(page)
    const mine = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Your VMs' }) })
    await expect(mine.getByRole('link', { name: 'block-world', exact: true })).toBeVisible()
    await expect(mine.getByRole('listitem')).toHaveCount(1)
    await expect(page.getByRole('meter', { name: 'VMs' })).toHaveAttribute('aria-valuetext', '1 of 3')
    for (const place of ['People', 'Recordings', 'Home settings'])
      await expect(page.getByRole('link', { name: place, exact: true })).toHaveCount(0)
    // They do not see everybody's VMs, so what all of those take is not theirs to add up.
    await expect(page.getByText(/vCPUs? given out/)).toHaveCount(0)
  })

  test('has a new VM in three clicks', async ({ page }) => {
    await page.goto('/')
    await page.getByRole('link', { name: 'Create VM' }).click()
    const create = new VmCreatePage(page)
    await create.image('Tiny Linux').check({ force: true })
    await expect(create.submitButton).not.toHaveAttribute('aria-disabled', 'true')
    await create.submitButton.click()
    await expect(page).toHaveURL(/\/vms\/\d+$/)
    await expect(
      page
        .getByRole('main')
        .getByText(/Creating|Running/)
        .first(),
    ).toBeVisible()
  })
})

test.describe('a viewer', () => {
  test.use({ who: 'cleo' })

  test('finds what they cannot do in its place, and why', async ({ page, home }) => {
    await page.goto(`/vms/${home.vms['photo-library']}`)
    await settled(page)
    const main = page.getByRole('main')
    await expect(main.getByRole('button', { name: 'Shut down' })).toHaveAttribute('aria-disabled', 'true')
    await expect(main.getByRole('button', { name: 'Shut down' })).toHaveAccessibleDescription(/\S/)
    await page.goto(`/vms/${home.vms['photo-library']}/settings`)
    await settled(page)
    await expect(main.getByRole('switch', { name: 'Start when the box boots' })).toBeDisabled()
    await expect(main.getByRole('switch', { name: 'Protect from deletion' })).toBeDisabled()
    await expect(main.getByRole('button', { name: 'Add label' })).toHaveAttribute('aria-disabled', 'true')
    await expect(main.getByRole('button', { name: 'Remove label for' })).toHaveAttribute(
      'aria-disabled',
      'true',
    )
  })
})

test('an administrator who looks at the people is here, however long ago they signed in', async ({
  page,
}) => {
  await page.goto('/people')
  await settled(page)
  const me = page.getByRole('listitem').filter({ hasText: 'You' })
  await expect(me.getByText('here now')).toBeVisible()
  await expect(me.getByText(/seen /)).toHaveCount(0)
})
