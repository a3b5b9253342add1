import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paths, safeNext } from './paths.ts'

test('every address of the portal', () => {
  const snapshot = {
    home: paths.home(),
    vms: paths.vms(),
    vmNew: paths.vmNew(),
    vmNewFromImage: paths.vmNew({ image: 'debian-12' }),
    vm: paths.vm(7),
    vmConsole: paths.vmConsole(7),
    vmMetrics: paths.vmMetrics(7),
    vmDisks: paths.vmDisks(7),
    vmSnapshots: paths.vmSnapshots(7),
    vmNetwork: paths.vmNetwork(7),
    vmSettings: paths.vmSettings(7),
    vmActivity: paths.vmActivity(7),
    vmApi: paths.vmApi(7),
    consoleWindow: paths.consoleWindow(7),
    images: paths.images(),
    image: paths.image(7),
    activity: paths.activity(),
    projects: paths.projects(),
    project: paths.project(7),
    people: paths.people(),
    homeSettings: paths.homeSettings(),
    settings: paths.settings(),
    account: paths.account(),
    security: paths.security(),
    sshKeys: paths.sshKeys(),
    tokens: paths.tokens(),
    signIn: paths.signIn(),
    signInBack: paths.signIn({ next: '/vms/7?a=1' }),
    signInHome: paths.signIn({ next: '/' }),
    setup: paths.setup(),
    setupToken: paths.setup('a+b'),
    welcome: paths.welcome(),
    invitation: paths.invitation(),
    trust: paths.trust(),
    caCertificate: paths.caCertificate(),
  }
  assert.deepEqual(snapshot, {
    home: '/',
    vms: '/vms',
    vmNew: '/vms/new',
    vmNewFromImage: '/vms/new?image=debian-12',
    vm: '/vms/7',
    vmConsole: '/vms/7/console',
    vmMetrics: '/vms/7/metrics',
    vmDisks: '/vms/7/disks',
    vmSnapshots: '/vms/7/snapshots',
    vmNetwork: '/vms/7/network',
    vmSettings: '/vms/7/settings',
    vmActivity: '/vms/7/activity',
    vmApi: '/vms/7/api',
    consoleWindow: '/console/7',
    images: '/images',
    image: '/images/7',
    activity: '/activity',
    projects: '/projects',
    project: '/projects/7',
    people: '/people',
    homeSettings: '/home',
    settings: '/settings/account',
    account: '/settings/account',
    security: '/settings/security',
    sshKeys: '/settings/ssh-keys',
    tokens: '/settings/tokens',
    signIn: '/sign-in',
    signInBack: '/sign-in?next=%2Fvms%2F7%3Fa%3D1',
    signInHome: '/sign-in',
    setup: '/setup',
    setupToken: '/setup#token=a%2Bb',
    welcome: '/welcome',
    invitation: '/invitation',
    trust: '/trust',
    caCertificate: '/ca.crt',
  })
  assert.deepEqual(
    Object.keys(paths).filter((name) => !Object.hasOwn(snapshot, name)),
    [],
    'a new path belongs in the snapshot above',
  )
})

test('after sign-in only pages of this portal are opened', () => {
  assert.equal(safeNext('/vms/7?tab=x#y'), '/vms/7?tab=x#y')
  for (const bad of [
    null,
    '',
    'vms',
    '//evil.example/x',
    '/\\evil.example',
    'https://evil.example',
    '/sign-in?next=/',
  ])
    assert.equal(safeNext(bad), '/', String(bad))
})
