import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userDataProblem } from './user-data.ts'

test('what cloud-init understands has no problem', async () => {
  for (const text of [
    '',
    '  \n',
    '#cloud-config\npackages:\n  - nginx\n',
    '#cloud-config\n',
    '#!/bin/sh\necho "not: yaml: at all"\n',
    '## template: jinja\n#cloud-config\nhostname: {{ x }}\n',
    'Content-Type: multipart/mixed; boundary="x"\n',
  ])
    assert.equal(await userDataProblem(text), null, text)
})

test('a text that begins with nothing known is refused before it is sent', async () => {
  assert.deepEqual(await userDataProblem('packages:\n  - nginx'), { kind: 'unknown', line: 1 })
})

test('a slip in the YAML is named with its line', async () => {
  const problem = await userDataProblem('#cloud-config\npackages:\n  - nginx\n bad\n')
  assert.equal(problem?.kind, 'yaml')
  assert.ok(problem?.line && problem.line >= 3, String(problem?.line))
  assert.doesNotMatch(problem?.detail ?? '', /line \d/)
})

test('a configuration is a mapping, not a list', async () => {
  assert.equal((await userDataProblem('#cloud-config\n- nginx\n'))?.kind, 'shape')
})
