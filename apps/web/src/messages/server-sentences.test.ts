/** What the server, hosts and builder say is said in every language. The sentences are read from their sources. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type Language, languages } from './language.ts'
import { said } from './said.ts'
import { type ServerSentence, sentencesIn } from './server-sentences.ts'

const repository = path.join(import.meta.dirname, '../../../..')
const sources = ['apps/web/server', 'apps/agent/src', 'infra/images', 'infra/recipes', 'packages/shared/src']

/** What only a terminal, a log or a program is told: the start, the API for scripts, the codes of closed consoles. */
const toldElsewhere = [
  /\/(generated|testing|rest|db)\//,
  /\/web\/server\/(cli|main|start)\.ts$/,
  /\/auth\/(oidc|secrets)\.ts$/,
  /\/console\/console(s|-pipe)\.ts$/,
  /\/serial\/serial-bridge\.ts$/,
  /\/recipes\/build(er)?\.ts$/,
]

/** What can stand where a source has only a hole, for sentences that are translated by it. */
const states = ['creating', 'starting', 'running', 'paused', 'stopping', 'stopped', 'suspended', 'crashed']
const roles = ['owner', 'member', 'viewer']
const held: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'It is {}. Wait until it runs or is stopped.': states.map((state) => [state]),
  'It cannot be started: it is {}.': states.map((state) => [state]),
  'It is not running: it is {}.': states.map((state) => [state]),
  'It cannot be suspended: it is {}.': states.map((state) => [state]),
  'Its host is away. When last seen it was {}.': states.map((state) => [state]),
  'Joined {} as {}': roles.map((role) => ['Kids', role]),
  'Invited {} to {} as {}': roles.map((role) => ['Bo', 'Kids', role]),
  'Invited somebody to {} as {}': roles.map((role) => ['Kids', role]),
  'Made {} an {} of {}': [['Bo', 'owner', 'Kids']],
  'Made {} a {} of {}': [
    ['Bo', 'member', 'Kids'],
    ['Bo', 'viewer', 'Kids'],
  ],
  'Changed the home: {}': [
    ["its name is Hill, VMs may have 120 % of a host's memory, vm_disk by default 4 GiB"],
  ],
  'Deleted {}': [['the backup of music from 2026-11-21']],
  'Verified {}': [['the backup of music from 2026-11-21']],
  'Set the quota of {}: {}': [['Kids', 'VMs: 3, memory: the default, disk of one VM: 4 GiB']],
  '{}: {}. {} can raise the quota.': [
    [
      'Kids',
      '1 vCPU left (the quota is 1), and this needs 2; 256 MiB of memory left (the quota is 1 GiB), and this needs 512 MiB',
      'Ada',
    ],
    ['Kids', 'a VM may have at most 2 vCPUs, and this one asks for 4', 'An administrator of the home'],
  ],
}

function filled(text: string): string[] {
  const examples = held[text] ?? [
    Array.from({ length: text.split('{}').length - 1 }, (_, hole) => `⟨${hole}⟩`),
  ]
  return examples.map((values) =>
    text.split('{}').reduce((all, part, index) => all + values[index - 1] + part),
  )
}

function allSentences(): ServerSentence[] {
  const found = sources.flatMap((folder) =>
    sentencesIn(path.join(repository, folder), (file) => toldElsewhere.some((each) => each.test(file))),
  )
  const distributions = path.join(repository, 'infra/images/distributions.json')
  for (const { description } of JSON.parse(readFileSync(distributions, 'utf8')) as { description: string }[])
    found.push({ text: description, where: distributions })
  return found
}

const sentences = allSentences()

test('sentences are found, in all their wordings', () => {
  const texts = new Set(sentences.map(({ text }) => text))
  assert.ok(texts.size > 500, `${texts.size} were found`)
  for (const text of [
    // An error of ours, a table's words inside of a sentence, one of two wordings, a sentence that stands alone.
    'Sign in first.',
    'It is being powered off.',
    'It is stopped. Power it off first.',
    'Protected {} from deletion',
    'The guest powered itself off.',
  ])
    assert.ok(texts.has(text), text)
  for (const text of Object.keys(held)) assert.ok(texts.has(text), `no source says: ${text}`)
})

for (const language of Object.keys(languages) as Language[]) {
  if (language === 'en') continue
  test(`${language}: all that is said is translated`, () => {
    const left = sentences.flatMap(({ text, where }) =>
      filled(text)
        .filter((each) => said(each, language) === each)
        .map((each) => `${path.relative(repository, where)}: ${each}`),
    )
    assert.deepEqual([...new Set(left)], [])
  })
}
