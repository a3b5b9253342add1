import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeExit } from './exit-reason.ts'

const exit = (code: number | null, reason: string | null = null, signal: NodeJS.Signals | null = null) => ({
  code,
  reason,
  signal,
})

test('what was meant is no crash, what was not is one, and each has its reason', () => {
  const cases: [Parameters<typeof describeExit>, { crashed: boolean; meant: boolean; reason: RegExp }][] = [
    [
      [exit(0, 'the guest powered off'), null, null],
      { crashed: false, meant: true, reason: /powered itself off/ },
    ],
    [
      [exit(0, 'the guest powered off'), 'shutdown', null],
      { crashed: false, meant: true, reason: /^Shut down/ },
    ],
    [[exit(0, 'switched off (SIGTERM)'), null, null], { crashed: false, meant: false, reason: /SIGTERM/ }],
    [
      [exit(null, null, 'SIGKILL'), 'poweroff', null],
      { crashed: false, meant: true, reason: /^Powered off/ },
    ],
    [[exit(null, null, 'SIGKILL'), null, null], { crashed: true, meant: false, reason: /killed/ }],
    // The same behind a launcher.
    [
      [exit(1), null, 'unshare: sigprocmask unblock failed: Invalid argument'],
      { crashed: true, meant: false, reason: /killed/ },
    ],
    [
      [exit(11, 'the guest crashed: triple fault'), null, null],
      { crashed: true, meant: false, reason: /^The guest crashed: triple fault\.$/ },
    ],
    [
      [exit(2), null, 'hearth-vmm: /dev/kvm: no'],
      { crashed: true, meant: false, reason: /^\/dev\/kvm: no\.$/ },
    ],
    [
      [exit(70, 'internal error: x'), null, null],
      { crashed: true, meant: false, reason: /code 70: internal error: x/ },
    ],
    [
      [exit(0, 'switched off (snapshot)'), null, null],
      { crashed: false, meant: true, reason: /^Suspended\./ },
    ],
    [[exit(0, 'switched off (SIGTERM)'), null, null], { crashed: false, meant: false, reason: /SIGTERM/ }],
    // Nobody was there: only its last words are left.
    [
      [exit(null), null, 'hearth-vmm: the guest powered off'],
      { crashed: false, meant: true, reason: /powered itself off/ },
    ],
    [
      [exit(null), null, 'hearth-vmm: the guest crashed: y'],
      { crashed: true, meant: false, reason: /crashed: y/ },
    ],
    [[exit(null), null, null], { crashed: true, meant: false, reason: /without a word/ }],
  ]
  for (const [args, wanted] of cases) {
    const end = describeExit(...args)
    assert.equal(end.crashed, wanted.crashed, JSON.stringify(args))
    assert.equal(end.meant, wanted.meant, JSON.stringify(args))
    assert.match(end.reason, wanted.reason)
  }
  assert.equal(describeExit(exit(2), null, 'hearth-vmm: x').code, 'host_refused')
})
