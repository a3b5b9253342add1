import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GIB } from '@hearth/shared/units'
import { apiCall } from './api-call.ts'

test('the call says what the form says, and survives a shell', () => {
  const text = apiCall(
    {
      name: 'web',
      imageUid: 'debian-12',
      cpus: 2,
      memoryBytes: 2 * GIB,
      diskBytes: 20 * GIB,
      sshKeys: ['ssh-ed25519 AAAA me'],
      userData: "#!/bin/sh\necho 'hi'",
      startAtBoot: true,
      start: false,
      idempotencyKey: 'x',
    },
    [
      {
        id: 1,
        projectId: 1,
        name: 'laptop',
        type: 'ssh-ed25519',
        publicKey: 'ssh-ed25519 AAAA me',
        fingerprint: '',
        createdAt: '',
      },
    ],
    'http://box',
  )
  assert.match(text, /^curl -X POST http:\/\/box\/api\/v1\/servers/)
  const body = JSON.parse(text.slice(text.indexOf("-d '") + 4, -1).replaceAll(`'\\''`, "'"))
  assert.deepEqual(body, {
    name: 'web',
    server_type: 'custom-2c-2048m-20g',
    image: 'debian-12',
    ssh_keys: ['laptop'],
    user_data: "#!/bin/sh\necho 'hi'",
    start_after_create: false,
  })
})
